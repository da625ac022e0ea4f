// SPDX-License-Identifier: MIT
/* The words of `tapgate run`: its own options, and those of the command, in which {fd} and the like are replaced. */
#include "cli/run/run.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "tool/tool.h"

/* --- options ------------------------------------------------------------------------------------------------------ */

/* The command line of `tapgate run`. Options are those of the --net before them. */

#define SEE "; see: tapgate help run"

static bool take_net(struct launch *launch, const char *value)
{
	struct word name = {value, strlen(value)};
	const char *problem = word_name_problem(name);

	if (problem)
		return say_error("--net %s %s, expected the name of a network of at most %d bytes" SEE, QUOTED(name),
			problem, NAME_MAX_BYTES);
	if (launch->net_count == LAUNCH_NETS_MAX)
		return say_error("more than %d --net, expected at most that many" SEE, LAUNCH_NETS_MAX);
	launch->nets[launch->net_count++] = (struct launch_net){.network = value, .reservation = -1};
	return true;
}

/* Of all --net, wherever it stands. Taps of several queues are nobody's to open; vhost_net takes a descriptor. */
static bool check_by_name(const struct launch *launch)
{
	for (size_t i = 0; i < launch->net_count && launch->by_name; i++) {
		if (launch->nets[i].queues || launch->nets[i].vhost)
			return say_error("--by-name together with %s, expected one of the two" SEE,
				launch->nets[i].vhost ? "--vhost" : "--queues");
	}
	return true;
}

/* The address of a guest that has a line of its own, by its name. */
static bool take_guest(struct launch_net *net, struct word name)
{
	struct policy *policy = load_policy(NULL);
	const struct policy_network *network = policy ? load_find(policy, net->network) : NULL;
	const struct policy_guest *guest = network ? policy_next_guest(network, NULL) : NULL;
	const bool readable = policy;

	while (guest && (strcasecmp(guest->name, name.at) != 0 || !(guest->options.given & OPTION_MAC)))
		guest = policy_next_guest(network, guest);
	if (guest) {
		memcpy(net->mac, guest->options.mac, MAC_BYTES);
		net->guest = name.at;
	}
	policy_free(policy);
	if (!guest && readable)
		say_error(
			"--mac %s, expected a unicast hardware address as in 52:54:00:12:34:56, or the name of a guest whose line, on '%s', has 'mac='" SEE,
			QUOTED(name), net->network);
	return guest;
}

/* An option of the last --net. */
static bool take_option(struct launch *launch, const struct command_option *option, const char *value)
{
	struct launch_net *net = launch->net_count ? &launch->nets[launch->net_count - 1] : NULL;
	struct word word = {value, strlen(value)};

	if (!net)
		return say_error("%s before a --net, expected it behind the one that it is for" SEE, option->name);
	if (option->bit == WORD_QUEUES ? net->queues != 0 : option->bit == WORD_MAC ? net->mac_given : net->vhost)
		return say_error(
			"%s for the second time behind --net '%s', expected it once" SEE, option->name, net->network);
	if (option->bit == WORD_QUEUES && (!word_number(word, POLICY_QUEUES_MAX, &net->queues) || net->queues == 0))
		return say_error("--queues %s, expected a number from 1 to %d" SEE, QUOTED(word), POLICY_QUEUES_MAX);
	if (option->bit == WORD_MAC && !mac_read(word, net->mac) && !take_guest(net, word))
		return false;
	net->mac_given |= option->bit == WORD_MAC;
	net->vhost |= option->bit == WORD_VHOST;
	return true;
}

bool launch_parse(const struct words *words, struct launch *launch)
{
	char **at = words->names, **end = at + words->name_count;

	while (at < end && **at == '-' && strcmp(*at, "--") != 0) {
		const char *value;
		const struct command_option *option = words_option(words->command, *at++, &value);

		if (!option)
			return false;
		if (!value)
			value = !option->value ? "" : at < end ? *at++ : NULL;
		if (!value)
			return say_error("%s without a value" SEE, option->name);
		if (option->bit == WORD_BY_NAME)
			launch->by_name = true;
		else if (option->bit == WORD_NET ? !take_net(launch, value) : !take_option(launch, option, value))
			return false;
	}
	at += at < end && strcmp(*at, "--") == 0;
	if (launch->net_count == 0)
		return say_error("no network is named, expected --net NAME before the command" SEE);
	if (at == end)
		return say_error("no command is named, expected one behind the options" SEE);
	launch->command = at;
	return check_by_name(launch);
}

/* --- marks -------------------------------------------------------------------------------------------------------- */

/*
 * The words of the command: {fd} and its like, replaced by what they stand for.
 *
 * A mark is '{', a name, perhaps the number of a --net (from 1), and '}'. Everything else in braces is the command's
 * own, and left alone: JSON, for one. No mark may have a ',' in it, or shells would expand it.
 */

/* A mark, taken apart. */
struct mark {
	const struct kind *kind;
	struct word whole, number;
};

static void write_list(FILE *out, const int *fds, uint32_t count, char separator)
{
	for (uint32_t i = 0; i < count; i++) {
		if (i)
			fputc(separator, out);
		fprintf(out, "%d", fds[i]);
	}
}

static bool has_fd(const struct launch_net *net, const struct mark *mark)
{
	return net->count || say_error("%.*s: with --by-name there is no descriptor, expected {ifname}",
				     (int)mark->whole.size, mark->whole.at);
}

static bool write_tap(FILE *out, const struct launch_net *net, const struct mark *mark)
{
	return has_fd(net, mark) && fprintf(out, "%d", net->taps[0]) > 0;
}

/* 3:4, as QEMU writes lists. */
static bool write_taps(FILE *out, const struct launch_net *net, const struct mark *mark)
{
	write_list(out, net->taps, net->count, ':');
	return has_fd(net, mark);
}

/* 3,4, as cloud-hypervisor writes them. */
static bool write_tap_list(FILE *out, const struct launch_net *net, const struct mark *mark)
{
	write_list(out, net->taps, net->count, ',');
	return has_fd(net, mark);
}

static bool has_vhost(const struct launch_net *net, const struct mark *mark)
{
	return net->vhost || say_error("%.*s: network '%s' has none; give --vhost behind its --net",
				     (int)mark->whole.size, mark->whole.at, net->network);
}

static bool write_vhost(FILE *out, const struct launch_net *net, const struct mark *mark)
{
	return has_vhost(net, mark) && fprintf(out, "%d", net->vhosts[0]) > 0;
}

static bool write_vhosts(FILE *out, const struct launch_net *net, const struct mark *mark)
{
	if (!has_vhost(net, mark))
		return false;
	write_list(out, net->vhosts, net->count, ':');
	return true;
}

static bool write_mac(FILE *out, const struct launch_net *net, const struct mark *mark)
{
	char text[MAC_TEXT];

	(void)mark;
	mac_text(net->mac, text);
	return fputs(text, out) >= 0;
}

static bool write_name(FILE *out, const struct launch_net *net, const struct mark *mark)
{
	(void)mark;
	return fputs(net->tap, out) >= 0;
}

static bool write_address(FILE *out, const struct launch_net *net, const struct mark *mark)
{
	char text[64];

	(void)mark;
	return launch_guest_address(net, text) && fputs(text, out) >= 0;
}

static const struct kind {
	const char *name;
	bool (*write)(FILE *out, const struct launch_net *net, const struct mark *mark);
} kinds[] = {
	{"fd", write_tap},
	{"fds", write_taps},
	{"fdlist", write_tap_list},
	{"vhostfd", write_vhost},
	{"vhostfds", write_vhosts},
	{"mac", write_mac},
	{"ifname", write_name},
	{"ip", write_address},
};

/* The mark that a text begins with; false if it begins with none. */
static bool read_mark(const char *at, struct mark *mark)
{
	size_t letters = strspn(at + 1, "abcdefghijklmnopqrstuvwxyz");
	size_t digits = strspn(at + 1 + letters, "0123456789");
	const char *end = at + 1 + letters + digits;
	struct word name = {at + 1, letters};

	*mark = (struct mark){.number = {at + 1 + letters, digits}};
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds) && !mark->kind; i++) {
		if (word_is(name, kinds[i].name))
			mark->kind = &kinds[i];
	}
	mark->whole = (struct word){at, (size_t)(end + 1 - at)};
	return mark->kind && *end == '}';
}

static bool write_mark(FILE *out, const struct launch *launch, const struct mark *mark)
{
	uint32_t number = 1;

	if (mark->number.size && (!word_number(mark->number, (uint32_t)launch->net_count, &number) || number == 0))
		return say_error("%.*s: there is no --net of that number, expected %s%zu", (int)mark->whole.size,
			mark->whole.at, launch->net_count > 1 ? "one from 1 to " : "", launch->net_count);
	return mark->kind->write(out, &launch->nets[number - 1], mark);
}

static bool write_word(FILE *out, const struct launch *launch, const char *at)
{
	struct mark mark;

	while (*at) {
		if (*at != '{' || !read_mark(at, &mark)) {
			fputc(*at++, out);
			continue;
		}
		if (!write_mark(out, launch, &mark))
			return false;
		at += mark.whole.size;
	}
	return true;
}

/* A word with its marks replaced; it lives as long as the program. NULL: said why not. */
static char *replace(const struct launch *launch, const char *word)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	bool written = out && write_word(out, launch, word);

	if (!out || fclose(out) != 0)
		return say_error("cannot replace what stands in braces: %s", strerror(errno)), NULL;
	if (written)
		return text;
	free(text);
	return NULL;
}

bool launch_replace_words(struct launch *launch)
{
	for (char **word = launch->command; *word; word++) {
		char *replaced = strchr(*word, '{') ? replace(launch, *word) : *word;

		if (!replaced)
			return false;
		*word = replaced;
	}
	return true;
}
