// SPDX-License-Identifier: MIT
/* Options of rules and networks: their table, made of options.def, and how one is read from its line. */
#include "policy/internal.h"

#include <linux/if_link.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "policy/kernel.h"
#include "policy/text.h"

#define NUMBER(member, least, most)                                                                                    \
	.value = VALUE_NUMBER, .min = (least), .max = (most), .at = offsetof(struct policy_options, member)

#define RATE(member)                                                                                                   \
	.value = VALUE_RATE, .min = POLICY_RATE_MIN, .max = POLICY_RATE_MAX,                                           \
	.at = offsetof(struct policy_options, member)

/* Two of them are compared as bytes (policy/rules.c), so there are none that nothing sets. */
_Static_assert(offsetof(struct policy_options, padding) + sizeof(((struct policy_options *)0)->padding) ==
		       sizeof(struct policy_options),
	"padding without a name");

const struct policy_option_row policy_option_rows[POLICY_OPTION_COUNT] = {
#define OPTION(NAME, ...) [NUMBER_OF_##NAME] = {__VA_ARGS__},
#include "policy/options.def"
#undef OPTION
};

const struct policy_option_row *policy_option_row(uint32_t options)
{
	return &policy_option_rows[__builtin_ctz(options)];
}

bool policy_option_is_number(const struct policy_option_row *row)
{
	return row->value == VALUE_NUMBER || row->value == VALUE_RATE;
}

uint32_t *policy_option_at(const struct policy_option_row *row, struct policy_options *options)
{
	return (uint32_t *)(void *)((char *)options + row->at);
}

uint32_t policy_network_lacks(const struct policy_network *network)
{
	const uint32_t given = network->options.given;
	/* Who has which address is known where DHCP gives them all. */
	uint32_t lacks = (given & OPTION_DHCP) && !(given & OPTION_RA) ? 0 : OPTION_LOCK_IP;

	for (size_t i = 0; i < POLICY_OPTION_COUNT; i++) {
		if (policy_option_rows[i].takes && !(policy_option_rows[i].takes & 1U << network->mode))
			lacks |= 1U << i;
	}
	return lacks;
}

const char *place_words(enum policy_place place)
{
	static const char *const words[] = {"a bridged network", "a nat network", "a shared network",
		"a routed network", "a host-only network", "an internal network",
		"a standalone network", [8] = "an allow rule", "a deny rule", "a guest"};

	return words[__builtin_ctz(place)];
}

/* The words that may stand in a place, for an error: "'user=', 'max=' or 'isolated'". */
static void list_options(enum policy_place place, char *buffer, size_t size)
{
	size_t last = 0;

	for (size_t i = 0; i < POLICY_OPTION_COUNT; i++)
		last = policy_option_rows[i].stands & place ? i : last;
	for (size_t i = 0; i <= last; i++) {
		const struct policy_option_row *row = &policy_option_rows[i];

		if (row->stands & place)
			text_append(buffer, size, "%s'%s%s'",
				!*buffer    ? ""
				: i == last ? " or "
					    : ", ",
				row->word, row->value == VALUE_NONE ? "" : "=");
	}
}

/* --- rates -------------------------------------------------------------------------------------------------------- */

static const struct {
	const char *word;
	uint32_t kbit;
} units[] = {{"gbit", 1000000}, {"mbit", 1000}, {"kbit", 1}};

void policy_rate_text(uint32_t kbit, char text[static POLICY_RATE_TEXT])
{
	size_t i = 0;

	while (kbit % units[i].kbit)
		i++;
	snprintf(text, POLICY_RATE_TEXT, "%u%s", kbit / units[i].kbit, units[i].word);
}

/* "100mbit" */
static bool parse_rate(struct word word, uint32_t max, uint32_t *kbit)
{
	size_t digits = 0;
	struct word unit;

	while (digits < word.size && word.at[digits] >= '0' && word.at[digits] <= '9')
		digits++;
	unit = (struct word){word.at + digits, word.size - digits};
	for (size_t i = 0; i < sizeof(units) / sizeof(*units); i++) {
		if (!word_is(unit, units[i].word))
			continue;
		if (!word_number((struct word){word.at, digits}, max / units[i].kbit, kbit))
			return false;
		*kbit *= units[i].kbit;
		return true;
	}
	return false;
}

/* The value of an option into *options, as far as its row says what it is. */
static bool parse_value(
	const struct line *line, const struct policy_option_row *row, struct word value, struct policy_options *options)
{
	uint32_t number;

	if (row->value == VALUE_MAC)
		return mac_read(value, options->mac) ||
		       line_refuse(line, value.at,
			       "mac=%s, expected a unicast hardware address as in 52:54:00:12:34:56", QUOTED(value));
	if (row->value == VALUE_RATE) {
		if (!parse_rate(value, row->max, &number) || number < row->min)
			return line_refuse(line, value.at,
				"%s=%s, expected a number and its unit, 'kbit', 'mbit' or 'gbit', from 64kbit to 32gbit",
				row->word, QUOTED(value));
		*policy_option_at(row, options) = number;
		return true;
	}
	if (row->value != VALUE_NUMBER)
		return true;
	if (!word_number(value, row->max, &number) || number < row->min)
		return line_refuse(line, value.at, "%s=%s, expected a number from %u to %u", row->word, QUOTED(value),
			row->min, row->max);
	*policy_option_at(row, options) = number;
	return true;
}

uint32_t parse_option(const struct line *line, struct word word, enum policy_place place,
	struct policy_options *options, struct word *value)
{
	const struct policy_option_row *row = policy_option_rows, *end = row + POLICY_OPTION_COUNT;
	const char *where = place_words(place);
	struct word name = {NULL, 0};
	char expected[256] = "";
	uint32_t option;

	/* Of where it stands only the last word, "rule" or "network". */
	if (*word.at == '#')
		return line_refuse(
			line, word.at, "'#' after a%s, expected comments on lines of their own", strrchr(where, ' '));
	*value = word;
	word_cut(value, '=', &name);
	while (row < end && !word_is(name, row->word))
		row++;
	if (row == end || !(row->stands & place)) {
		list_options(place, expected, sizeof(expected));
		return line_refuse(line, name.at, "%s %s on %s, expected %s", row < end ? "option" : "unknown word",
			QUOTED(name), where, expected);
	}
	option = 1U << (row - policy_option_rows);
	if (options->given & option)
		return line_refuse(line, word.at, "'%s' for the second time, expected it once", row->word);
	if (row->value == VALUE_NONE && value->at)
		return line_refuse(line, value->at - 1, "'%s' with a value, expected the word alone", row->word);
	if (row->value != VALUE_NONE && !value->size)
		return line_refuse(
			line, name.at + name.size, "'%s' without a value, expected '%s=...'", row->word, row->word);
	options->given |= option;
	return parse_value(line, row, *value, options) ? option : 0;
}
