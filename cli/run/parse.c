/* The command line of `tapgate run`. Options are those of the --net before them. */
#include <string.h>

#include "cli/run/launch.h"
#include "cli/say.h"

#define SEE "; see: tapgate help run"

enum option { NET, QUEUES, MAC, VHOST, OPTION_COUNT };

static const struct {
	const char *word;
	bool value;
} options[OPTION_COUNT] = {
	[NET] = {"--net", true},
	[QUEUES] = {"--queues", true},
	[MAC] = {"--mac", true},
	[VHOST] = {"--vhost", false},
};

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

/* An option of the last --net. */
static bool take_option(struct launch *launch, enum option option, const char *value)
{
	struct launch_net *net = launch->net_count ? &launch->nets[launch->net_count - 1] : NULL;
	struct word word = {value, strlen(value)};

	if (!net)
		return say_error(
			"%s before a --net, expected it behind the one that it is for" SEE, options[option].word);
	if (option == QUEUES ? net->queues != 0 : option == MAC ? net->mac_given : net->vhost)
		return say_error("%s for the second time behind --net '%s', expected it once" SEE, options[option].word,
			net->network);
	if (option == QUEUES && (!word_number(word, POLICY_QUEUES_MAX, &net->queues) || net->queues == 0))
		return say_error("--queues %s, expected a number from 1 to %d" SEE, QUOTED(word), POLICY_QUEUES_MAX);
	if (option == MAC && !mac_read(word, net->mac))
		return say_error(
			"--mac %s, expected a unicast hardware address as in 52:54:00:12:34:56" SEE, QUOTED(word));
	net->mac_given |= option == MAC;
	net->vhost |= option == VHOST;
	return true;
}

/* Which option a word is, and the value in it (NULL: none). */
static bool take_apart(const char *from, enum option *option, const char **value)
{
	const char *mark = strchr(from, '=');
	struct word name = {from, mark ? (size_t)(mark - from) : strlen(from)};

	*value = mark ? mark + 1 : NULL;
	for (*option = 0; *option < OPTION_COUNT; (*option)++) {
		if (word_is(name, options[*option].word))
			return options[*option].value || !mark;
	}
	return false;
}

bool launch_parse(int count, char **words, struct launch *launch)
{
	enum option option;
	const char *value;
	int i = 0; /* the next word */

	while (i < count && words[i][0] == '-' && strcmp(words[i], "--") != 0) {
		struct word word = {words[i], strlen(words[i])};

		if (!take_apart(words[i++], &option, &value))
			return say_error("'run' has no option %s" SEE, QUOTED(word));
		if (!value)
			value = !options[option].value ? "" : i < count ? words[i++] : NULL;
		if (!value)
			return say_error("%s without a value" SEE, options[option].word);
		if (option == NET ? !take_net(launch, value) : !take_option(launch, option, value))
			return false;
	}
	i += i < count && strcmp(words[i], "--") == 0;
	if (launch->net_count == 0)
		return say_error("no network is named, expected --net NAME before the command" SEE);
	if (i == count)
		return say_error("no command is named, expected one behind the options" SEE);
	launch->command = words + i;
	return true;
}
