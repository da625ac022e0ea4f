// SPDX-License-Identifier: MIT
/* tapgate: the table of its commands, their help, and main(). The program is not setuid: it has its user's rights. */
#include "cli/commands.h"

#include <ctype.h>
#include <fcntl.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "policy/text.h"
#include "tool/tool.h"

/* --- the table ---------------------------------------------------------------------------------------------------- */

#define DRY_RUN                                                                                                        \
	{                                                                                                              \
		"--dry-run", NULL, WORD_DRY_RUN, "say what it would do, and do nothing"                                \
	}
#define JSON                                                                                                           \
	{                                                                                                              \
		"--json", NULL, WORD_JSON, "one object, for programs"                                                  \
	}

/* All commands, in the order of their help. Help, the parser (tool/words.c) and completions have them from here. */
static const struct command commands[] = {
	{
		.name = "up",
		.operands = "[NETWORK...]",
		.names_max = ANY_NUMBER,
		.about = "make the networks as the policy wants them",
		.options = {DRY_RUN, JSON,
			{"--force", NULL, WORD_FORCE, "also where that cuts off who is on a network"}},
		.before = "Creates what is missing, repairs what drifted, removes what the policy no\n"
			  "longer names and tapgate made, and says each change in a line. With names, only\n"
			  "these are made or repaired, none is removed.\n",
		.after = "Needs root, with --dry-run too. Exits with 1 if something failed or was left as\n"
			 "it is, with 4 if the policy is not valid or in conflict with the host, with 6\n"
			 "if --dry-run found something to do.\n",
		.run = command_up,
		.changes = true,
	},
	{
		.name = "down",
		.operands = "[NETWORK...]",
		.names_max = ANY_NUMBER,
		.about = "take away what 'tapgate up' made",
		.options = {DRY_RUN},
		.before = "Of all networks, or of those that are named. Virtual machines on them are cut\n"
			  "off.\n",
		.after = "Needs root, with --dry-run too. Exits with 1 if something failed, with 6 if\n"
			 "--dry-run found something to do.\n",
		.run = command_down,
		.changes = true,
	},
	{
		.name = "status",
		.operands = "[NETWORK...]",
		.names_max = ANY_NUMBER,
		.about = "show the networks as they stand",
		.options = {{"--members", NULL, WORD_MEMBERS, "name every member, each in a line"}, JSON},
		.before = "For each its mode, state, addresses, guard, DHCP and members, or where it has\n"
			  "more than four, how many; and of one that is not up, what to do.\n",
		.after = "Needs no root; guards and DHCP servers are shown to root only. Exits with 1 if\n"
			 "a network is not as the policy wants it.\n",
		.run = command_status,
	},
	{
		.name = "check",
		.operands = "[FILE]",
		.names_max = 1,
		.about = "look for mistakes in the policy",
		.options = {{"--live", NULL, WORD_LIVE,
				    "also look at the running host: the helper, networks,\nbridges, firewalls"},
			{"--strict", NULL, WORD_STRICT, "exit with 1 if there are warnings"}, JSON},
		.before = "Reads the policy, or FILE ('-' for standard input) as if it were, and shows\n"
			  "every mistake with its line; also networks that overlap each other or the\n"
			  "host's routes, or have the name of an interface that is not tapgate's. Warns of\n"
			  "rules that never decide or allow more than they seem to, and of users, groups\n"
			  "and bridges that there are not. Changes nothing.\n",
		.after = "Needs no root; with --live, what only root can see is left out. Exits with 4 if\n"
			 "the policy has mistakes, with 1 if --live finds that no request can be served.\n",
		.run = command_check,
		.takes_input = true,
	},
	{
		.name = "explain",
		.operands = "[NETWORK...]",
		.names_max = ANY_NUMBER,
		.about = "say what a user may use, why, and how",
		.options = {{"--user", "WHO", WORD_USER, "about another user, by name or as '#1000'; for root"}, JSON},
		.before = "Of several networks a line each: first those that you may use, then the others\n"
			  "and why not, as tapgate-helper would say it. Of one, or of those that are named:\n"
			  "by which rule you may use it, what is granted and how much of it is in use, how\n"
			  "the network stands, and the words for QEMU's command line.\n",
		.after = "Needs no root to ask about oneself. Exits with tapgate-helper's code for the\n"
			 "first NETWORK that may not be used, as 3 where the policy denies it, and with 4\n"
			 "if the policy is not valid.\n",
		.run = command_explain,
	},
	{
		.name = "list",
		.operands = "[NETWORK...]",
		.names_max = ANY_NUMBER,
		.about = "show the taps: whose they are, and the guests behind them",
		.options = {{"--user", "WHO", WORD_USER, "only those of one user, by name or as '#1000'"},
			{"--watch", NULL, WORD_WATCH,
				"go on until it is interrupted: on a terminal the table is kept\n"
				"up to date, else each tap that comes, changes or goes is a line"},
			{"--json", NULL, WORD_JSON, "one object, for programs; with --watch one in each line"}},
		.before = "For each its network, user, virtual machine monitor, age and traffic as the\n"
			  "guest sees it; the guests' addresses as far as bridges, leases and the host's\n"
			  "neighbours tell. In the order of networks and users.\n",
		.after = "Needs no root; what only root can know of others' taps is left out.\n",
		.run = command_list,
	},
	{
		.name = "ip",
		.operands = "NAME|MAC|TAP|NETWORK",
		.names_max = 1,
		.about = "show the addresses of a guest",
		.options = {JSON},
		.before = "One a line: IPv4, IPv6, then link-local ones. The guest is the one of that tap,\n"
			  "the one on that network, or the one with that hardware address or host name, as\n"
			  "in alpha or alpha.lab.internal.\n",
		.after = "Of a machine with several cards, those of all. Needs no root. Exits with 1 if\n"
			 "there is no such guest, none of its addresses is known, or several are meant.\n",
		.run = command_ip,
	},
	{
		.name = "networks",
		.operands = "",
		.about = "show the names of the policy's networks",
		.before = "One a line, in the order of the policy; behind them the names that only rules\n"
			  "have. Needs no root.\n",
		.after = "",
		.run = command_networks,
	},
	{
		.name = "run",
		.operands = "--net NAME ... COMMAND...",
		.about = "run a virtual machine monitor with taps",
		.options = {{"--by-name", NULL, WORD_BY_NAME,
				    "for all: no descriptors, COMMAND opens its taps by name,\nas {ifname}"},
			{"--net", "NAME", WORD_NET, "a tap on that network; again for each further one; behind it:"},
			{"--queues", "N", WORD_QUEUES, "with N queues (1 to 16), as far as the policy lets you"},
			{"--mac", "ADDR", WORD_MAC,
				"for a guest with this hardware address, or for one of the\npolicy's, by its name, instead of one that is chosen"},
			{"--vhost", NULL, WORD_VHOST, "and /dev/vhost-net for each queue"}},
		.before = "COMMAND gets the taps as open descriptors, and they go when it ends. It stands\n"
			  "behind the options, or behind '--'.\n",
		.after = "In COMMAND's words these are replaced:\n"
			 "  {fd} {fds}    the tap's descriptor; all of them, as 3:4. {fdlist}: as 3,4\n"
			 "  {vhostfd} {vhostfds}  those of /dev/vhost-net, likewise\n"
			 "  {mac} {ip}    what the guest is to have; {ip} on standalone networks, as\n"
			 "                172.16.128.2/30\n"
			 "  {ifname}      the tap's name\n"
			 "{fd1}, {mac2} and so on are of the first, the second --net. As in:\n"
			 "  tapgate run --net lab -- qemu-system-x86_64 -netdev tap,id=n0,fd={fd} \\\n"
			 "      -device virtio-net-pci,netdev=n0,mac={mac} ...\n"
			 "Needs no root. Exits with what COMMAND does; if that was not started, with\n"
			 "tapgate-helper's code (1 to 5), with 125, or with 126 or 127 if COMMAND cannot\n"
			 "be run or is not found.\n",
		.run = command_run,
		.own_words = true,
	},
	{
		.name = "log",
		.operands = "[NETWORK...]",
		.names_max = ANY_NUMBER,
		.about = "show what the helper granted and refused",
		.options = {{"--since", "TIME", WORD_SINCE,
				    "those from then on, as journalctl takes it: '2026-11-22 18:00',\nyesterday, -2h"},
			{"--user", "WHO", WORD_USER, "those of one user, by name or as '#1000'"},
			{"--follow", NULL, WORD_FOLLOW, "then also the lines that come, until it is interrupted"},
			{"--json", NULL, WORD_JSON, "an object in each line, for programs"}},
		.before = "From the journal, the oldest first; of all networks, or of those that are\n"
			  "named.\n",
		.after = "What somebody wrote to the log in the helper's name is shown as 'forged', as\n"
			 "far as can be told. Needs no root, but only root and the group systemd-journal\n"
			 "see the lines of others. Exits with 1 if there is no journal, or none that you\n"
			 "may read.\n",
		.run = command_log,
	},
	{
		.name = "keep",
		.operands = "",
		.about = "keep the networks as 'tapgate up' made them",
		.before = "Runs until it is ended, and puts back what changes: forwarding on a way out that\n"
			  "comes later, a guard that was flushed, a dnsmasq that died, rules in others'\n"
			  "firewalls. Says each in a line. What was edited in the policy and not applied\n"
			  "yet counts for nothing. tapgate-keep.service is it.\n",
		.after = "Needs root.\n",
		.run = command_keep,
		.changes = true,
	},
	{
		.name = "reap",
		.operands = "[NETWORK...]",
		.names_max = ANY_NUMBER,
		.about = "remove persistent taps that nobody holds",
		.options = {DRY_RUN},
		.before = "A virtual machine monitor can make its tap persistent; it then stays and counts\n"
			  "against max=.\n",
		.after = "Needs no root for your own; root removes those of all users. Exits with 1 if\n"
			 "something failed.\n",
		.run = command_reap,
		.changes = true,
	},
};
enum { COMMANDS = sizeof(commands) / sizeof(*commands) };

static const struct command *find(const char *name)
{
	for (size_t i = 0; i < COMMANDS; i++) {
		if (strcmp(commands[i].name, name) == 0)
			return &commands[i];
	}
	return NULL;
}

/* --- help --------------------------------------------------------------------------------------------------------- */

static bool is_help(const char *word)
{
	return strcmp(word, "help") == 0 || strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0;
}

static bool is_version(const char *word)
{
	return strcmp(word, "version") == 0 || strcmp(word, "--version") == 0 || strcmp(word, "-V") == 0;
}

static void help_on_all(FILE *out)
{
	fputs("usage: tapgate COMMAND [WORD...]\n\n", out);
	for (size_t i = 0; i < COMMANDS; i++)
		fprintf(out, "  %-10s  %s\n", commands[i].name, commands[i].about);
	fprintf(out, "  %-10s  %s\n", "help", "more on a command: tapgate help COMMAND");
	fputs("\nThe policy is " SYSCONFDIR "/tapgate.conf; see tapgate(8) and tapgate.conf(5).\n", out);
}

/* "usage: tapgate list [--user WHO] [--json] [NETWORK...]" */
static void print_usage(const struct command *command)
{
	printf("usage: tapgate %s", command->name);
	for (const struct command_option *option = command->options; option->name && !command->own_words; option++)
		printf(" [%s%s%s]", option->name, option->value ? " " : "", option->value ? option->value : "");
	printf("%s%s\n", *command->operands ? " " : "", command->operands);
}

/* A line for each option. Where its text has several lines, they are aligned. */
static void print_options(const struct command *command)
{
	int width = 0;
	char shown[32];

	for (const struct command_option *option = command->options; option->name; option++) {
		int size = (int)(strlen(option->name) + (option->value ? 1 + strlen(option->value) : 0));

		width = size > width ? size : width;
	}
	for (const struct command_option *option = command->options; option->name; option++) {
		const char *at = option->about;

		snprintf(shown, sizeof(shown), "%s%s%s", option->name, option->value ? " " : "",
			option->value ? option->value : "");
		printf("  %-*s  %.*s\n", width, shown, (int)strcspn(at, "\n"), at);
		while ((at = strchr(at, '\n'))) {
			at++;
			printf("  %-*s  %.*s\n", width, "", (int)strcspn(at, "\n"), at);
		}
	}
}

static int help_on(const struct command *command)
{
	print_usage(command);
	printf("\n%c%s.\n\n%s", toupper((unsigned char)*command->about), command->about + 1, command->before);
	print_options(command);
	fputs(command->after, stdout);
	return STATUS_DONE;
}

/* What other programs call it. */
static const struct {
	const char *said, *meant;
} synonyms[] = {
	{"start", "up"},
	{"restart", "up"},
	{"reload", "up"},
	{"apply", "up"},
	{"stop", "down"},
	{"show", "status"},
	{"ls", "list"},
	{"ps", "list"},
	{"test", "check"},
	{"validate", "check"},
	{"verify", "check"},
	{"logs", "log"},
};

static int unknown(const char *name)
{
	struct guess guess = {.said = name + strspn(name, "-")}; /* "-version" is QEMU's way */

	for (size_t i = 0; i < COMMANDS; i++)
		guess_try(&guess, commands[i].name);
	guess_try(&guess, "help");
	guess_try(&guess, "version");
	for (size_t i = 0; i < sizeof(synonyms) / sizeof(*synonyms); i++) {
		if (strcmp(name, synonyms[i].said) == 0)
			guess.meant = synonyms[i].meant;
	}
	say_error("no command %s%s; see: tapgate help", QUOTED(((struct word){name, strlen(name)})),
		guess_text(&guess).text);
	return STATUS_USAGE;
}

static int help(const char *name)
{
	const struct command *command = name ? find(name) : NULL;

	if (name && !is_help(name) && !is_version(name))
		return command ? help_on(command) : unknown(name);
	help_on_all(stdout);
	return STATUS_DONE;
}

static int version(void)
{
	puts("tapgate " VERSION);
	return STATUS_DONE;
}

/* --- a command ---------------------------------------------------------------------------------------------------- */

static int run(const struct command *command, int count, char **from)
{
	struct words words = {.command = command, .names = from, .name_count = count};

	if (count > 0 && (strcmp(from[0], "--help") == 0 || strcmp(from[0], "-h") == 0))
		return help_on(command);
	if (count > 0 && from[0][0] == '-' && is_version(from[0]))
		return version();
	if (!command->own_words && !words_parse(&words, command, count, from))
		return STATUS_USAGE;
	if (words.given & WORD_HELP)
		return help_on(command);
	if (command->changes)
		signal(SIGPIPE, SIG_IGN); /* it goes on to the end, even if nobody reads what it prints */
	return command->run(&words);
}

static int dispatch(int argc, char **argv)
{
	const struct command *command;

	if (argc < 2) {
		help_on_all(stderr);
		return STATUS_USAGE;
	}
	if (is_version(argv[1]))
		return version();
	if (is_help(argv[1]))
		return help(argv[2]);
	command = find(argv[1]);
	return command ? run(command, argc - 2, argv + 2) : unknown(argv[1]);
}

/*
 * If a standard stream is closed, the next file that is opened gets its number, and what is printed goes into that
 * file. So a closed one is replaced by a descriptor that fails when it is used: standard input cannot be read, the
 * others cannot be written.
 */
static void prepare_streams(void)
{
	for (int fd = 0; fd <= 2; fd++) {
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", fd == 0 ? O_WRONLY : O_RDONLY) != fd)
			_exit(STATUS_FAILED);
	}
}

int main(int argc, char **argv)
{
	int status;

	prepare_streams();
	setlocale(LC_CTYPE, "C.UTF-8"); /* what names are written in; all else stays as it is in C */
	setvbuf(stdout, NULL, _IOLBF, 0);
	status = dispatch(argc, argv);
	if (fflush(stdout) != 0 || ferror(stdout)) {
		say_error("cannot write to standard output");
		return status ? status : STATUS_FAILED;
	}
	return status;
}
