// SPDX-License-Identifier: MIT
/* The command line of `tapgate run`. Options are those of the --net before them. */
#include "cli/run/run.h"

#include <string.h>
#include <strings.h>

#include "tool/tool.h"

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
