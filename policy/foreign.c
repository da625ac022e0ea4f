/*
 * What other programs' files say, where it stands in a policy, and what it would be here. That it is refused does not
 * depend on this: the parser has refused it when it is explained, to an administrator who checks the policy.
 */
#include <stdio.h>
#include <string.h>

#include "policy/internal.h"

/* What is expected. */
struct expected {
	char text[160];
};

/* Bytes that words of other languages begin or end with, or have anywhere, and what to write. */
struct idiom {
	const char *bytes;
	enum { ANYWHERE, FIRST, LAST } where;
	const char *before,
		*after; /* NULL: `before` is all; else the word without its first byte stands between them */
};

static const struct idiom account_idioms[] = {
	{"@%", FIRST, "'group=", "' for a group"},
	{"+", FIRST, "the users of netgroup '", "', apart by ','"},
	{"!-~^", FIRST, "for all but some a rule of its own, as in 'deny br0 user=", "'"},
	{"\"'`", ANYWHERE, "names without quotes, and '#number' for one with a blank", NULL},
	{"*?[]{}", ANYWHERE, "each name, apart by ','", NULL},
	{"$", FIRST, "the name itself", NULL},
	{NULL, ANYWHERE, NULL, NULL},
};
static const struct idiom network_idioms[] = {
	{"!", FIRST, "'allow all' and 'deny ", "', which wins"},
	{"\"'`", ANYWHERE, "a name without quotes", NULL},
	{"*?[]{}", ANYWHERE, "each name in a line of its own, or 'all'", NULL},
	{"+", LAST, "each name in a line of its own, or 'all'", NULL},
	{",;|", ANYWHERE, "each name in a line of its own", NULL},
	{"=", ANYWHERE, "the network here, as in 'allow br0 user=alice'", NULL},
	{NULL, ANYWHERE, NULL, NULL},
};

/* What lines of other programs' files begin with. */
#define A_RULE "a rule, as in 'allow br0 user=alice'"
static const struct {
	const char *begins, *whose, *meant;
} files[] = {
	{"*", ", as in VirtualBox's networks.conf", "'network NAME host-only ADDRESS/PREFIX'"},
	{"[", ", as in an .ini file", A_RULE},
	{"<", ", as in libvirt's XML", A_RULE},
	{"{", ", as in JSON", A_RULE},
	{"iface", ", as in ifupdown's interfaces", "'network NAME MODE ADDRESS/PREFIX'"},
	{"auto", ", as in ifupdown's interfaces", "'network NAME MODE ADDRESS/PREFIX'"},
	{"%", ", as in sudoers", "'allow NETWORK group=NAME'"},
	{"permit", ", as in doas.conf", "'allow NETWORK user=NAME'"},
};

static const struct word nothing = {"", 0};

/* Text and a word, as a part of what is meant. */
static void mean(struct expected *expected, const char *before, struct word word)
{
	text_append(expected->text, sizeof(expected->text), "%s", before);
	text_append_escaped(expected->text, sizeof(expected->text) - 1, word);
}

static bool find_idiom(const struct idiom *idiom, struct word word, struct expected *expected)
{
	for (; idiom->bytes; idiom++) {
		size_t from = idiom->where == LAST ? word.size - 1 : 0, to = idiom->where == FIRST ? 1 : word.size;

		while (from < to && !strchr(idiom->bytes, word.at[from]))
			from++;
		if (from >= to)
			continue;
		mean(expected, idiom->before, idiom->after ? (struct word){word.at + 1, word.size - 1} : nothing);
		mean(expected, idiom->after ? idiom->after : "", nothing);
		return true;
	}
	return false;
}

/* "1000-1010" */
static bool is_range(struct word word)
{
	struct word from, to;
	uint32_t number;

	return word_cut(&word, '-', &from) && word_cut(&word, '-', &to) && !word.at &&
	       word_number(from, UINT32_MAX, &number) && word_number(to, UINT32_MAX, &number);
}

static void explain_account(struct policy_error *error, struct word word)
{
	struct expected expected = {""};

	if (word_is_all(word) || word_is(word, "*"))
		mean(&expected, "neither 'user=' nor 'group=' for everybody", nothing);
	else if (is_range(word))
		mean(&expected, "each number with '#' before it, apart by ','", nothing);
	else if (!find_idiom(account_idioms, word, &expected))
		return;
	snprintf(error->what, sizeof(error->what), "%s, expected %s", QUOTED(word), expected.text);
}

static void explain_network(struct policy_error *error, struct word word)
{
	struct expected expected = {""};

	if (find_idiom(network_idioms, word, &expected))
		snprintf(error->what, sizeof(error->what), "network %s, expected %s", QUOTED(word), expected.text);
}

/* "alice veth br0 10", "@students veth br0 10" */
static bool is_lxc(struct line rest, struct word user, struct expected *expected)
{
	const bool group = *user.at == '@';
	struct word type, bridge, count;

	if (!line_word(&rest, &type) || !word_is(type, "veth") || !line_word(&rest, &bridge) ||
		!line_word(&rest, &count))
		return false;
	mean(expected, "'allow ", bridge);
	mean(expected, group ? " group=" : " user=", (struct word){user.at + group, user.size - group});
	mean(expected, " max=", count);
	mean(expected, "'", nothing);
	return true;
}

/* "allow=br0", "allow: br0"; "bridge_helper = ...", "network:" */
static const char *find_setting(struct line rest, struct word verb, struct expected *expected)
{
	struct word value = verb, key, next;

	line_word(&rest, &next);
	word_cut(&value, memchr(verb.at, '=', verb.size) ? '=' : ':', &key);
	if (value.at && (word_is(key, "allow") || word_is(key, "deny"))) {
		mean(expected, "'", key);
		mean(expected, " ", value.size ? value : next);
		mean(expected, "'", nothing);
		return "";
	}
	if (!value.at && (!next.size || *next.at != '='))
		return NULL;
	mean(expected, A_RULE, nothing);
	return ", as in libvirt's qemu.conf or other settings";
}

static void explain_verb(struct policy_error *error, struct line rest, struct word verb)
{
	struct expected expected = {""};
	const char *whose = is_lxc(rest, verb, &expected) ? ", as in lxc-usernet" : find_setting(rest, verb, &expected);

	for (size_t i = 0; !whose && i < sizeof(files) / sizeof(*files); i++) {
		if (word_begins(verb, files[i].begins)) {
			whose = files[i].whose;
			mean(&expected, files[i].meant, nothing);
		}
	}
	if (whose)
		snprintf(error->what, sizeof(error->what), "unknown word %s%s, expected %s", QUOTED(verb), whose,
			expected.text);
}

/* A word that is no option, behind an account's name: the rest of a name with a blank, for all that we know. */
static void explain_blank(struct policy_error *error)
{
	static const char hint[] = " behind a name (one with a blank is written '#number')";
	char *rest = strstr(error->what, " rule, expected ");
	struct policy_error whole = *error;

	if (!rest)
		return;
	rest += strlen(" rule");
	snprintf(rest, sizeof(error->what) - (size_t)(rest - error->what), "%s%s", hint,
		whole.what + (rest - error->what));
}

/* Words of a rule behind its network. */
static void explain_option(struct policy_error *error, struct line line, const char *at)
{
	struct word word, item, list = {NULL, 0};

	while (line_word(&line, &word)) {
		if (word.at == at && list.at && !memchr(word.at, '=', word.size))
			explain_blank(error);
		list.at = NULL;
		if (!word_begins(word, "user=") && !word_begins(word, "group="))
			continue;
		list = word;
		word_cut(&list, '=', &item);
		for (struct word items = list; word_cut(&items, ',', &item);) {
			if (item.at == at && item.size > 0 && *at != '#' && *at != ' ')
				explain_account(error, item);
		}
	}
}

void explain_foreign(struct policy_error *error, struct word whole)
{
	struct line line = {.at = whole.at, .end = whole.at + whole.size};
	const char *at = whole.at + error->column - 1;
	struct word verb, network;
	bool rule;

	/* A byte that may not stand there is the mistake. */
	if (!error->column || at >= line.end || *at < ' ' || *at > '~' || !line_word(&line, &verb))
		return;
	rule = word_is(verb, "allow") || word_is(verb, "deny");
	if (at == verb.at && !rule && !word_is(verb, "network") && !word_is(verb, "include"))
		explain_verb(error, line, verb);
	if (at == verb.at || (!rule && !word_is(verb, "network")) || !line_word(&line, &network))
		return;
	if (at == network.at)
		explain_network(error, network);
	else if (rule)
		explain_option(error, line, at);
}
