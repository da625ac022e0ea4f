/*
 * Options: the words of rules and networks that may carry a value. One table says what each is and which values it
 * takes.
 */
#include <stddef.h>
#include <string.h>

#include "policy/internal.h"
#include "policy/mac.h"

enum value_kind { NO_VALUE, NUMBER, HARDWARE_ADDRESS, ELSEWHERE };

static const struct option {
	const char *word;
	enum policy_option option;
	enum value_kind kind;
	uint32_t min, max;
	size_t offset; /* of a number in struct policy_options */
} table[] = {
	{"user", OPTION_USER, ELSEWHERE, 0, 0, 0},
	{"group", OPTION_GROUP, ELSEWHERE, 0, 0, 0},
	{"max", OPTION_MAX, NUMBER, 1, 65535, offsetof(struct policy_options, max)},
	{"queues", OPTION_QUEUES, NUMBER, 1, POLICY_QUEUES_MAX, offsetof(struct policy_options, queues)},
	{"mac", OPTION_MAC, HARDWARE_ADDRESS, 0, 0, 0},
	{"vlan", OPTION_VLAN, NUMBER, 1, 4094, offsetof(struct policy_options, vlan)},
	{"mtu", OPTION_MTU, NUMBER, 68, POLICY_MTU_MAX, offsetof(struct policy_options, mtu)},
	{"isolated", OPTION_ISOLATED, NO_VALUE, 0, 0, 0},
	{"lock-mac", OPTION_LOCK_MAC, NO_VALUE, 0, 0, 0},
	{"guard", OPTION_GUARD, NO_VALUE, 0, 0, 0},
	{"dhcp", OPTION_DHCP, ELSEWHERE, 0, 0, 0},
	{"per-vm", OPTION_PER_VM, ELSEWHERE, 0, 0, 0},
	{"lock-ip", OPTION_LOCK_IP, NO_VALUE, 0, 0, 0},
	{"leases", OPTION_LEASES, NUMBER, 1, POLICY_LEASES_MAX, offsetof(struct policy_options, leases)},
};

/* The words that may stand here, for an error: "'user=', 'max=' or 'isolated'". */
static void list_options(uint32_t allowed, char *buffer, size_t size)
{
	buffer[0] = '\0';
	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
		if (!(table[i].option & allowed))
			continue;
		allowed &= ~(uint32_t)table[i].option;
		text_append(buffer, size, "%s'%s%s'",
			!buffer[0] ? ""
			: allowed  ? ", "
				   : " or ",
			table[i].word, table[i].kind == NO_VALUE ? "" : "=");
	}
	if (!buffer[0])
		text_append(buffer, size, "nothing more");
}

static bool parse_value(
	struct line *line, const struct option *option, struct word value, struct policy_options *options)
{
	uint32_t number = 0;

	switch (option->kind) {
	case NUMBER:
		if (!word_number(value, option->max, &number) || number < option->min)
			return line_refuse(line, value.at, "%s=%s, expected a number from %u to %u", option->word,
				QUOTED(value), option->min, option->max);
		memcpy((char *)options + option->offset, &number, sizeof(number));
		return true;
	case HARDWARE_ADDRESS:
		return mac_read(value, options->mac) ||
		       line_refuse(line, value.at, "%s=%s, expected a unicast hardware address as in 52:54:00:12:34:56",
			       option->word, QUOTED(value));
	case NO_VALUE:
	case ELSEWHERE:
		break;
	}
	return true;
}

/* The option of that name; NULL if there is none. */
static const struct option *find_option(struct word name)
{
	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
		if (word_is(name, table[i].word))
			return &table[i];
	}
	return NULL;
}

/* A word that may not stand here, whether or not it is an option elsewhere. */
static bool refuse_word(
	const struct line *line, struct word name, const struct option *found, uint32_t allowed, const char *where)
{
	char expected[160];

	list_options(allowed, expected, sizeof(expected));
	return line_refuse(line, name.at, "%s %s on %s, expected %s", found ? "option" : "unknown word", QUOTED(name),
		where, expected);
}

bool parse_option(struct line *line, struct word word, uint32_t allowed, const char *where,
	struct policy_options *options, enum policy_option *option, struct word *value)
{
	struct word rest = word, name = word;
	const struct option *found;

	word_cut(&rest, '=', &name);
	found = find_option(name);
	if (!found || !(found->option & allowed))
		return refuse_word(line, name, found, allowed, where);
	if (options->given & found->option)
		return line_refuse(line, word.at, "'%s' for the second time, expected it once", found->word);
	if (found->kind == NO_VALUE && rest.at)
		return line_refuse(line, rest.at - 1, "'%s' with a value, expected the word alone", found->word);
	if (found->kind != NO_VALUE && !rest.size)
		return line_refuse(
			line, name.at + name.size, "'%s' without a value, expected '%s=...'", found->word, found->word);
	options->given |= found->option;
	*option = found->option;
	*value = rest;
	return parse_value(line, found, rest, options);
}
