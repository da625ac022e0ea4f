// SPDX-License-Identifier: MIT
/* The command line: what is asked for. */
#include "helper/helper.h"

#include <limits.h>
#include <string.h>

#include "policy/policy.h"

#define USAGE                                                                                                          \
	"expected --br=NAME --fd=N [--net=NAME] [--queues=N] [--mac=ADDR] [--use-vnet] from a virtual machine monitor; for people there is: tapgate help"

enum option { BR, NET, FD, QUEUES, MAC, USE_VNET, OPTION_COUNT };

static const struct {
	const char *word;
	bool value;
} options[OPTION_COUNT] = {
	[BR] = {"--br", true},
	[NET] = {"--net", true},
	[FD] = {"--fd", true},
	[QUEUES] = {"--queues", true},
	[MAC] = {"--mac", true},
	[USE_VNET] = {"--use-vnet", false},
};

/* One argument: which option it is, and its value (at == NULL if it has none). */
static bool take_apart(const char *argument, enum option *option, struct word *value)
{
	const char *mark = strchr(argument, '=');
	struct word name = {argument, mark ? (size_t)(mark - argument) : strlen(argument)};

	*value = mark ? (struct word){mark + 1, strlen(mark + 1)} : (struct word){NULL, 0};
	for (*option = 0; *option < OPTION_COUNT; (*option)++) {
		if (word_is(name, options[*option].word))
			return options[*option].value == (mark != NULL);
	}
	return false;
}

/* What people try by hand. */
static bool is_question(const char *word)
{
	return strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0 || strcmp(word, "--version") == 0 ||
	       strcmp(word, "-V") == 0;
}

static bool take_network(const struct word *values, struct request *request, struct outcome *outcome)
{
	enum option option = values[NET].at ? NET : BR;
	const char *problem;

	/* Both are checked, also where --net wins: what is wrong in a command line is never passed over. */
	for (enum option o = BR; o <= NET; o++) {
		problem = values[o].at ? word_name_problem(values[o]) : NULL;
		if (problem)
			return refuse(outcome, EXIT_USAGE,
				"%s=%s %s, expected the name of a network of at most 15 bytes", options[o].word,
				QUOTED(values[o]), problem);
	}
	if (!values[option].at)
		return refuse(outcome, EXIT_USAGE, "no network is named, " USAGE);
	memset(request->network, 0, sizeof(request->network));
	memcpy(request->network, values[option].at, values[option].size);
	return true;
}

static bool take_fd(struct word value, struct request *request, struct outcome *outcome)
{
	uint32_t fd = 0;

	if (!value.at)
		return refuse(outcome, EXIT_USAGE, "no socket is named, " USAGE);
	if (!word_number(value, INT_MAX, &fd) || fd <= 2)
		return refuse(
			outcome, EXIT_USAGE, "--fd=%s, expected the number of an open socket above 2", QUOTED(value));
	request->fd = (int)fd;
	return true;
}

static bool take_port(const struct word *values, struct request *request, struct outcome *outcome)
{
	request->mac_given = values[MAC].at != NULL;
	request->queues = 1;
	if (values[QUEUES].at &&
		(!word_number(values[QUEUES], POLICY_QUEUES_MAX, &request->queues) || !request->queues))
		return refuse(outcome, EXIT_USAGE, "--queues=%s, expected a number from 1 to %d",
			QUOTED(values[QUEUES]), POLICY_QUEUES_MAX);
	return !request->mac_given || mac_read(values[MAC], request->mac) ||
	       refuse(outcome, EXIT_USAGE, "--mac=%s, expected a unicast hardware address as in 52:54:00:12:34:56",
		       QUOTED(values[MAC]));
}

bool request_parse(int argc, char **argv, struct request *request, struct outcome *outcome)
{
	struct word values[OPTION_COUNT] = {{NULL, 0}}, value;
	bool seen[OPTION_COUNT] = {false};
	enum option option;

	if (argc < 1)
		return refuse(outcome, EXIT_USAGE, "started without arguments, not even a name, " USAGE);
	if (argc == 2 && is_question(argv[1]))
		return refuse(outcome, EXIT_USAGE, "version %s, which hands over taps, " USAGE, VERSION);
	for (int i = 1; i < argc; i++) {
		struct word argument = {argv[i], strlen(argv[i])};

		if (!take_apart(argv[i], &option, &value))
			return refuse(outcome, EXIT_USAGE, "unknown argument %s, " USAGE, QUOTED(argument));
		if (seen[option])
			return refuse(
				outcome, EXIT_USAGE, "%s for the second time, expected it once", options[option].word);
		seen[option] = true;
		values[option] = value;
	}
	request->vnet_header = seen[USE_VNET];
	return take_network(values, request, outcome) && take_fd(values[FD], request, outcome) &&
	       take_port(values, request, outcome);
}
