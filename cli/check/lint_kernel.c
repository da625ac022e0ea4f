/* Options that the running kernel does not have: tapgate-helper refuses every request that comes by such a line. */
#include <string.h>

#include "cli/check/lint.h"
#include "policy/text.h"

/* Each option that takes something of the kernel, as it is written, and since when Linux has that. */
static const struct {
	uint32_t option;
	const char *word, *since;
} options[] = {
	{OPTION_ISOLATED, "isolated", "Linux 4.18 or newer"},
	{OPTION_LOCK_MAC, "lock-mac", "Linux 5.16 or newer"},
	{OPTION_MAC, "mac", "Linux 5.16 or newer"},
	{OPTION_GUARD, "guard", "Linux 3.8 or newer"},
	{OPTION_VLAN, "vlan", "a kernel with CONFIG_BRIDGE_VLAN_FILTERING"},
};

/* The word of an option in a line, behind the line's first two: what it is, and the name of a network. */
static struct word find_word(struct word line, const char *option)
{
	const char *at = line.at, *end = line.at + line.size;

	for (int count = 0; at < end; count++) {
		struct word word, rest, name;

		while (at < end && (*at == ' ' || *at == '\t'))
			at++;
		word.at = at;
		while (at < end && *at != ' ' && *at != '\t')
			at++;
		word.size = (size_t)(at - word.at);
		rest = word;
		if (count >= 2 && word_cut(&rest, '=', &name) && word_is(name, option))
			return word;
	}
	return line;
}

static void look(const char *file, unsigned int number, struct word line, uint32_t given, struct findings *findings)
{
	char escaped[256] = "";

	text_append_escaped(escaped, sizeof(escaped), (struct word){file, strlen(file)});
	for (size_t i = 0; i < sizeof(options) / sizeof(*options); i++) {
		struct finding_place place = {escaped, number, 0, line, 0};
		struct word word;

		if (!(given & options[i].option))
			continue;
		word = find_word(line, options[i].word);
		place.column = (unsigned int)(word.at - line.at) + 1;
		findings_add_at(findings, FINDING_ERROR, &place,
			"this kernel does not give %s, which takes %s; remove it, or run such a kernel", QUOTED(word),
			options[i].since);
	}
}

void lint_kernel(const struct policy *policy, uint32_t lacks, struct findings *findings)
{
	size_t count;
	const struct policy_network *networks = policy_networks(policy, &count);

	if (lacks & OPTION_LOCK_MAC)
		lacks |= OPTION_MAC;
	for (size_t i = 0; i < count; i++)
		look(networks[i].file, networks[i].line, policy_line(policy, networks[i].file, networks[i].line),
			networks[i].options.given & lacks, findings);
	for (size_t i = 0; i < policy_rule_count(policy); i++) {
		const struct policy_rule rule = policy_rule(policy, i);

		look(rule.file, rule.line, rule.whole, rule.options->given & lacks, findings);
	}
}
