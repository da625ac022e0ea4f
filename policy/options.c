/*
 * Options: the words of rules and networks that may carry a value. One table says what each is and which values it
 * takes.
 */
#include <stddef.h>
#include <string.h>

#include "policy/internal.h"
#include "policy/mac.h"

static const struct option {
	const char *word;
	enum policy_option option;
	bool alone;	   /* it has no value */
	uint32_t min, max; /* of a number; 0, 0: it is none */
	size_t offset;	   /* of a number in struct policy_options */
} table[] = {
	{"user", OPTION_USER, false, 0, 0, 0},
	{"group", OPTION_GROUP, false, 0, 0, 0},
	{"max", OPTION_MAX, false, 1, 65535, offsetof(struct policy_options, max)},
	{"queues", OPTION_QUEUES, false, 1, POLICY_QUEUES_MAX, offsetof(struct policy_options, queues)},
	{"mac", OPTION_MAC, false, 0, 0, 0},
	{"vlan", OPTION_VLAN, false, 1, 4094, offsetof(struct policy_options, vlan)},
	{"mtu", OPTION_MTU, false, 68, POLICY_MTU_MAX, offsetof(struct policy_options, mtu)},
	{"isolated", OPTION_ISOLATED, true, 0, 0, 0},
	{"lock-mac", OPTION_LOCK_MAC, true, 0, 0, 0},
	{"guard", OPTION_GUARD, true, 0, 0, 0},
	{"dhcp", OPTION_DHCP, false, 0, 0, 0},
	{"per-vm", OPTION_PER_VM, false, 0, 0, 0},
	{"lock-ip", OPTION_LOCK_IP, true, 0, 0, 0},
	{"leases", OPTION_LEASES, false, 1, POLICY_LEASES_MAX, offsetof(struct policy_options, leases)},
};
static const struct option *const table_end = table + sizeof(table) / sizeof(*table);

const char *policy_option_name(uint32_t options)
{
	const struct option *option = table;

	while (option->option != (options & -options))
		option++;
	return option->word;
}

/* The words that may stand here, for an error: "'user=', 'max=' or 'isolated'". */
static void list_options(uint32_t allowed, char *buffer, size_t size)
{
	const char *between = "";

	for (const struct option *option = table; option < table_end; option++) {
		if (!(option->option & allowed))
			continue;
		text_append(buffer, size, "%s'%s%s'", between, option->word, option->alone ? "" : "=");
		allowed &= ~(uint32_t)option->option;
		between = allowed & (allowed - 1) ? ", " : " or "; /* whether more than one is left */
	}
}

bool parse_option(const struct line *line, struct word word, uint32_t allowed, const char *where,
	struct policy_options *options, enum policy_option *option, struct word *value)
{
	const struct option *found = table;
	struct word name = {NULL, 0};
	char expected[160] = "";
	uint32_t number = 0;

	/* Of where it stands only the last word, "rule" or "network". */
	if (*word.at == '#')
		return line_refuse(
			line, word.at, "'#' after a%s, expected comments on lines of their own", strrchr(where, ' '));
	*value = word;
	word_cut(value, '=', &name);
	while (found < table_end && !word_is(name, found->word))
		found++;
	if (found == table_end || !(found->option & allowed)) {
		list_options(allowed, expected, sizeof(expected));
		return line_refuse(line, name.at, "%s %s on %s, expected %s",
			found < table_end ? "option" : "unknown word", QUOTED(name), where, expected);
	}
	if (options->given & found->option)
		return line_refuse(line, word.at, "'%s' for the second time, expected it once", found->word);
	if (found->alone && value->at)
		return line_refuse(line, value->at - 1, "'%s' with a value, expected the word alone", found->word);
	if (!found->alone && !value->size)
		return line_refuse(
			line, name.at + name.size, "'%s' without a value, expected '%s=...'", found->word, found->word);
	if (found->max && (!word_number(*value, found->max, &number) || number < found->min))
		return line_refuse(line, value->at, "%s=%s, expected a number from %u to %u", found->word,
			QUOTED(*value), found->min, found->max);
	if (found->option == OPTION_MAC && !mac_read(*value, options->mac))
		return line_refuse(line, value->at,
			"mac=%s, expected a unicast hardware address as in 52:54:00:12:34:56", QUOTED(*value));
	if (found->max)
		memcpy((char *)options + found->offset, &number, sizeof(number));
	options->given |= found->option;
	*option = found->option;
	return true;
}
