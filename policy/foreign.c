// SPDX-License-Identifier: MIT
/*
 * What other programs' files say, where it stands in a policy, and what it would be here. That it is refused does not
 * depend on this: the parser has refused it when it is explained, to an administrator who checks the policy.
 */
#include "policy/internal.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

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

	if (word_is(word, "*"))
		mean(&expected, "'all' for all networks", nothing);
	if (expected.text[0] || find_idiom(network_idioms, word, &expected))
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

/* What is expected, in the place of the error's own list of it: "unknown word 'bob' on an allow rule, expected ...". */
static void expect(struct policy_error *error, const struct expected *expected)
{
	char *list = strstr(error->what, ", expected ");

	if (list)
		snprintf(list, sizeof(error->what) - (size_t)(list - error->what), ", expected %s", expected->text);
}

/* A list of accounts with a blank in it: "user=alice, bob", "user=alice ,bob", "user= alice". */
static void explain_list(struct policy_error *error, struct word list, struct word rest)
{
	struct expected expected = {""};

	mean(&expected, "'", list);
	mean(&expected, "", rest);
	mean(&expected, "' without a blank", nothing);
	expect(error, &expected);
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

/* Whether a word seems to be a misspelt option: for such a one the list of them is the answer. */
static bool is_like_option(struct word word)
{
	for (size_t i = 0; i < POLICY_OPTION_COUNT; i++) {
		if (word.size >= 3 && strncasecmp(word.at, policy_option_rows[i].word, 3) == 0)
			return true;
	}
	return false;
}

/* "allow br0 alice", "allow alice br0", "allow br0 %students", "allow br0 #1000": an account without its word. */
static void explain_bare(struct policy_error *error, struct word verb, struct word network, struct word word)
{
	const bool numbered = *word.at == '#';
	const struct word name = {word.at + 1, word.size - 1};
	struct expected expected = {""};
	uint32_t number;

	if (word_is(word, "except") || word_is(word, "but") || word_is(word, "not")) {
		mean(&expected, "a rule of its own for them, as in 'deny br0 user=bob': a deny wins", nothing);
	} else if (*word.at == '@' || *word.at == '%') {
		mean(&expected, "'group=", name);
		mean(&expected, "' for a group", nothing);
	} else if (numbered && word_number(name, UINT32_MAX, &number)) {
		mean(&expected, "'user=", word);
		mean(&expected, "' for a user, comments on lines of their own", nothing);
	} else if (!numbered && !memchr(word.at, '=', word.size) && !is_like_option(word)) {
		mean(&expected, "'user=", word);
		mean(&expected, "' for a user, or '", verb);
		mean(&expected, " ", word);
		mean(&expected, " user=", network);
		mean(&expected, "' if that is the network", nothing);
	}
	if (expected.text[0])
		expect(error, &expected);
}

/* Words of a rule behind its network. */
static void explain_option(struct policy_error *error, struct line line, struct word verb, struct word network)
{
	const char *at = network.at + network.size, *wrong = line.start + error->column - 1;
	struct word word, next, item, list = {NULL, 0}, before = {NULL, 0};

	for (line.at = at; line_word(&line, &word); before = word) {
		struct line rest = line;

		if (word.at == wrong && !before.at)
			explain_bare(error, verb, network, word);
		else if (word.at == wrong && list.at && *word.at == ',')
			explain_list(error, before, word);
		else if (word.at == wrong && list.at && !memchr(word.at, '=', word.size))
			explain_blank(error);
		list.at = NULL;
		if (!word_begins(word, "user=") && !word_begins(word, "group="))
			continue;
		list = word;
		word_cut(&list, '=', &item);
		/* "user=alice, bob" has an empty name behind its comma, and "user= bob" no value. */
		if ((wrong == word.at + word.size || wrong == word.at + word.size - 1) && line_word(&rest, &next) &&
			!memchr(next.at, '=', next.size))
			explain_list(error, word, next);
		for (struct word items = list; word_cut(&items, ',', &item);) {
			if (item.at == wrong && item.size > 0 && *wrong != '#' && *wrong != ' ')
				explain_account(error, item);
		}
	}
}

/* What others call what a network's line has in other words, or has no need of. */
static const struct {
	const char *words, *meant;
} settings[] = {
	{" gateway gw ", "the host's address with its prefix, as in 172.16.2.1/24: it is the guests' gateway"},
	{" ip addr address subnet cidr ", "the host's address alone, with its prefix, as in 172.16.2.1/24"},
	{" netmask mask prefix ", "the prefix behind the address, as in 172.16.2.1/24"},
	{" range pool dhcp-range ", "'dhcp=FIRST-LAST'"},
	{" nameserver nameservers ", "'dns=ADDRESS' beside 'dhcp='"},
	{" dhcp ",
		"it in the modes 'nat', 'shared', 'routed', 'host-only' and 'standalone': on others guests take addresses by hand"},
	{" bandwidth limit speed ",
		"'rate=' for what each guest sends, 'rate-in=' for what it receives, as in rate=100mbit"},
};

/* Whether an error's text begins so. */
static bool is_about(const struct policy_error *error, const char *words)
{
	return strncmp(error->what, words, strlen(words)) == 0;
}

/* "network shared lab": the mode before the name. */
static bool explain_order(struct policy_error *error, struct word name, struct word mode)
{
	struct expected expected = {""};

	for (enum policy_mode i = MODE_BRIDGED; i <= MODE_STANDALONE; i++) {
		if (!word_is(name, policy_mode_name(i)) || !is_about(error, "unknown mode"))
			continue;
		mean(&expected, "the name first, as in 'network ", mode);
		mean(&expected, " ", name);
		mean(&expected, "'", nothing);
		expect(error, &expected);
		return true;
	}
	return false;
}

/* "guest box on lab 172.16.2.5" */
static void explain_guest(struct policy_error *error, struct word word)
{
	unsigned char unused[16];
	struct expected expected = {""};
	const bool ipv4 = word_address(AF_INET, word, unused), ipv6 = word_address(AF_INET6, word, unused),
		   mac = mac_read(word, unused);

	if (!is_about(error, "unknown word") || (!ipv4 && !ipv6 && !mac))
		return;
	mean(&expected, mac ? "'mac=" : ipv4 ? "'ip=" : "'ip6=", word);
	mean(&expected, "'", nothing);
	expect(error, &expected);
}

/* "forward 8000:8010/tcp", "forward tcp/22", "forward 22:tcp" */
static void explain_ports(struct policy_error *error, struct word word)
{
	struct expected expected = {""};
	struct word rest = word, first, second = rest;

	word_cut(&second, '/', &first);
	if (second.at && (word_is(first, "tcp") || word_is(first, "udp"))) {
		mean(&expected, "'", second);
		mean(&expected, "/", first);
	} else if (word_cut(&rest, ':', &first) && rest.at) {
		mean(&expected, "'", first);
		mean(&expected, word_is(rest, "tcp") || word_is(rest, "udp") ? "/" : "-", rest);
		if (!memchr(expected.text, '/', strlen(expected.text)))
			mean(&expected, "/tcp", nothing);
	}
	if (!expected.text[0])
		return;
	mean(&expected, "'", nothing);
	expect(error, &expected);
}

static void explain_setting(struct policy_error *error, struct line line)
{
	struct expected expected = {" "};
	const char *at = line.at;
	struct word word, key;

	if (!line_word(&line, &word) || word.at != at || !memchr(word.at, '=', word.size))
		return;
	word_cut(&word, '=', &key);
	if (!is_about(error, "unknown word") && !is_about(error, "option"))
		return;
	mean(&expected, "", key);
	mean(&expected, " ", nothing);
	for (size_t i = 0; i < sizeof(settings) / sizeof(*settings); i++) {
		if (!strstr(settings[i].words, expected.text))
			continue;
		expected.text[0] = '\0';
		mean(&expected, settings[i].meant, nothing);
		expect(error, &expected);
		return;
	}
}

/* The word of a line that begins at a byte. */
static struct word word_at(const char *at, const char *end)
{
	struct line line = {.at = at, .end = end};
	struct word word = nothing;

	line_word(&line, &word);
	return word.at == at ? word : nothing;
}

void explain_foreign(struct policy_error *error, struct word whole)
{
	struct line line = {.start = whole.at, .at = whole.at, .end = whole.at + whole.size};
	const char *at = whole.at + error->column - 1;
	struct word verb, second;
	bool rule;

	/* A byte that may not stand there is the mistake. */
	if (!error->column || at > line.end || (at < line.end && *at != '\t' && !is_printable(*at)) ||
		!line_word(&line, &verb))
		return;
	rule = word_is(verb, "allow") || word_is(verb, "deny");
	if (at == verb.at && !rule && !word_is(verb, "network") && !word_is(verb, "include"))
		explain_verb(error, line, verb);
	if (at == verb.at || !line_word(&line, &second))
		return;
	if (word_is(verb, "include") && at == second.at && strchr("\"'`", *at))
		expect(error, &(const struct expected){"the path without quotes"});
	else if (word_is(verb, "network") && at > second.at) {
		struct line rest = line;
		struct word mode = nothing;

		line_word(&rest, &mode);
		if (mode.at != at || !explain_order(error, second, mode))
			explain_setting(error, (struct line){.at = at, .end = line.end});
	} else if (word_is(verb, "guest"))
		explain_guest(error, word_at(at, line.end));
	else if (word_is(verb, "forward") && at == second.at)
		explain_ports(error, second);
	else if (at == second.at && !word_is(verb, "include"))
		explain_network(error, second);
	else if (rule)
		explain_option(error, line, verb, second);
}
