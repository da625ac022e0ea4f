/* tapgate: the networks of the policy, for those who administer them. Not setuid: what it may do, its user may do. */
#include <ctype.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/say.h"
#include "policy/text.h"

static const struct command {
	const char *name, *words, *about;
	int (*run)(int count, char **words);
	const char *more;
} commands[] = {
	{"up", "[--dry-run] [NETWORK...]", "make the networks as the policy wants them", command_up,
		"Creates what is missing, repairs what drifted, removes what the policy no longer names and tapgate\n"
		"made, and says each change in a line. With names, only these are made or repaired, none is removed.\n"
		"  --dry-run  say what it would do, and do nothing\n"
		"Needs root, with --dry-run too. Exits with 1 if something failed, with 4 if the policy is not valid\n"
		"or in conflict with the host.\n"},
	{"down", "[--dry-run] [NETWORK...]", "take away what 'tapgate up' made", command_down,
		"Of all networks, or of those that are named. Virtual machines on them are cut off.\n"
		"  --dry-run  say what it would do, and do nothing\n"
		"Needs root, with --dry-run too. Exits with 1 if something failed.\n"},
	{"status", "[--json] [NETWORK...]", "show the networks as they stand", command_status,
		"For each its mode, state, addresses, guard, DHCP and members; and of one that is not up, what to do.\n"
		"  --json  one object, for programs\n"
		"Needs no root; guards and DHCP servers are shown to root only. Exits with 1 if a network is not as\n"
		"the policy wants it.\n"},
	{"check", "[--live] [--strict] [--json] [FILE]", "look for mistakes in the policy", command_check,
		"Reads the policy, or FILE as if it were, as tapgate-helper would, and shows every mistake with its\n"
		"line; also networks that overlap each other or the host's routes, or have the name of an interface\n"
		"that is not tapgate's. Warns of rules that never decide or allow more than they seem to, and of\n"
		"users, groups and bridges that there are not. Changes nothing.\n"
		"  --live    also look at the running host: the helper, networks, bridges, firewalls\n"
		"  --strict  exit with 1 if there are warnings\n"
		"  --json    one object, for programs\n"
		"Needs no root; with --live, what only root can see is left out. Exits with 4 if the policy has\n"
		"mistakes, with 1 if --live finds that no request can be served.\n"},
	{"explain", "[--user WHO] [--json] [NETWORK...]", "say what a user may use, why, and how", command_explain,
		"For each network, or for all that the policy names: whether you may use it and by which rule, what\n"
		"is granted and how much of it is in use, how the network stands, and the words for QEMU's command\n"
		"line. What is refused is told as tapgate-helper would.\n"
		"  --user WHO  about another user, by name or as '#1000'; for root\n"
		"  --json      one object, for programs\n"
		"Needs no root to ask about oneself. Exits with tapgate-helper's code for the first NETWORK that may\n"
		"not be used, as 3 where the policy denies it, and with 4 if the policy is not valid.\n"},
	{"list", "[--watch] [--json] [NETWORK...]", "show the taps: whose they are, and the guests behind them",
		command_list,
		"For each its network, user, virtual machine monitor, age and traffic as the guest sees it; the\n"
		"guests' addresses as far as bridges, leases and the host's neighbours tell.\n"
		"  --watch  go on until it is interrupted: on a terminal the table is kept up to date, else each tap\n"
		"           that comes, changes or goes is a line\n"
		"  --json   one object, for programs; with --watch one in each line\n"
		"Needs no root; what only root can know of others' taps is left out.\n"},
	{"ip", "[--json] NAME|MAC|TAP|NETWORK", "show the addresses of a guest", command_ip,
		"One a line: IPv4, IPv6, then link-local ones. The guest is the one of that tap, the one on that\n"
		"network, or the one with that hardware address or host name, as in alpha or alpha.lab.internal.\n"
		"  --json  one object, for programs\n"
		"Needs no root. Exits with 1 if there is no such guest, none of its addresses is known, or several\n"
		"are meant.\n"},
	{"networks", "", "show the names of the policy's networks", command_networks,
		"One a line, in the order of the policy. Needs no root.\n"},
	{"run", "--net NAME ... COMMAND...", "run a virtual machine monitor with taps", command_run,
		"COMMAND gets the taps as open descriptors, and they go when it ends. It stands behind the options,\n"
		"or behind '--'.\n"
		"  --net NAME    a tap on that network; again for each further one. Behind it, for that one:\n"
		"  --queues N    with N queues (1 to 16), as far as the policy lets you\n"
		"  --mac ADDR    for a guest with this hardware address, instead of one that is chosen\n"
		"  --vhost       and /dev/vhost-net for each queue\n"
		"In COMMAND's words these are replaced:\n"
		"  {fd} {fds}    the tap's descriptor; all of them, as 3:4. {fdlist}: as 3,4\n"
		"  {vhostfd} {vhostfds}  those of /dev/vhost-net, likewise\n"
		"  {mac} {ip}    what the guest is to have; {ip} on standalone networks, as 172.16.128.2/30\n"
		"  {ifname}      the tap's name\n"
		"{fd1}, {mac2} and so on are of the first, the second --net. As in:\n"
		"  tapgate run --net lab -- qemu-system-x86_64 -netdev tap,id=n0,fd={fd} \\\n"
		"      -device virtio-net-pci,netdev=n0,mac={mac} ...\n"
		"Needs no root. Exits with what COMMAND does; if that was not started, with tapgate-helper's code (1\n"
		"to 5), with 125, or with 126 or 127 if COMMAND cannot be run or is not found.\n"},
	{"log", "[OPTION...] [NETWORK...]", "show what the helper granted and refused", command_log,
		"From the journal, the oldest first; of all networks, or of those that are named.\n"
		"  --since TIME  those from then on, as journalctl takes it: '2026-11-22 18:00', yesterday, -2h\n"
		"  --user WHO    those of one user, by name or as '#1000'\n"
		"  --follow      then also the lines that come, until it is interrupted\n"
		"  --json        an object in each line, for programs\n"
		"What somebody wrote to the log in the helper's name is shown as 'forged', as far as can be told.\n"
		"Needs no root, but only root and the group systemd-journal see the lines of others. Exits with 1 if\n"
		"there is no journal, or none that you may read.\n"},
	{"reap", "[--dry-run] [NETWORK...]", "remove persistent taps that nobody holds", command_reap,
		"A virtual machine monitor can make its tap persistent; it then stays and counts against max=.\n"
		"  --dry-run  say what it would do, and do nothing\n"
		"Needs no root for your own; root removes those of all users. Exits with 1 if something failed.\n"},
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

static void help_on_all(FILE *out)
{
	fputs("usage: tapgate COMMAND [WORD...]\n\n", out);
	for (size_t i = 0; i < COMMANDS; i++)
		fprintf(out, "  %-8s %-37s  %s\n", commands[i].name, commands[i].words, commands[i].about);
	fprintf(out, "  %-8s %-37s  %s\n", "help", "[COMMAND]", "more on a command");
	fputs("\nThe policy is " SYSCONFDIR "/tapgate.conf; see tapgate(8) and tapgate.conf(5).\n", out);
}

static int unknown(const char *name)
{
	struct word word = {name, strlen(name)};

	say_error("no command %s; see: tapgate help", QUOTED(word));
	return STATUS_USAGE;
}

static int help(const char *name)
{
	const struct command *command = name ? find(name) : NULL;

	if (!name || strcmp(name, "help") == 0) {
		help_on_all(stdout);
		return STATUS_DONE;
	}
	if (!command)
		return unknown(name);
	printf("usage: tapgate %s%s%s\n\n%c%s.\n\n%s", command->name, *command->words ? " " : "", command->words,
		toupper((unsigned char)*command->about), command->about + 1, command->more);
	return STATUS_DONE;
}

static int dispatch(int argc, char **argv)
{
	const struct command *command;

	if (argc < 2) {
		help_on_all(stderr);
		return STATUS_USAGE;
	}
	if (strcmp(argv[1], "--version") == 0) {
		puts("tapgate " VERSION);
		return STATUS_DONE;
	}
	if (strcmp(argv[1], "help") == 0 || strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)
		return help(argv[2]);
	command = find(argv[1]);
	if (command && argc > 2 && (strcmp(argv[2], "--help") == 0 || strcmp(argv[2], "-h") == 0))
		return help(argv[1]);
	if (command && (command->run == command_up || command->run == command_down || command->run == command_reap))
		signal(SIGPIPE, SIG_IGN); /* whoever stops reading what these print does not end them half way */
	return command ? command->run(argc - 2, argv + 2) : unknown(argv[1]);
}

/*
 * Standard streams that are closed would be the next files to be opened, and get what is printed. What takes their
 * place cannot be read or written, so that it is an error to try.
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
	setvbuf(stdout, NULL, _IOLBF, 0);
	status = dispatch(argc, argv);
	if (fflush(stdout) != 0 || ferror(stdout)) {
		say_error("cannot write to standard output");
		return status ? status : STATUS_FAILED;
	}
	return status;
}
