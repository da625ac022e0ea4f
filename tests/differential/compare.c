// SPDX-License-Identifier: MIT
/*
 * compare: does tapgate-helper give the verdicts of qemu-bridge-helper on whatever classic ACL files there are?
 *
 *	compare SEED COUNT BRIDGE...
 *
 * Writes COUNT random policies: /etc/qemu/bridge.conf with the files that it includes, and an /etc/tapgate.conf that
 * includes it or says the same. For each, asks both helpers ($QEMU_HELPER, $HELPER) for each BRIDGE as each of several
 * users, and compares whether a descriptor came. The files hold what the two languages have in common; where they
 * differ is tests/differential/differential's concern. Prints what differs, then "PASSED FAILED GRANTED".
 *
 * Run as root in a world of its own (tests/common/world), with the bridges there.
 */
#include <fcntl.h>
#include <grp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/common/receive.h"
#include "tests/differential/chance.h"

enum {
	ALICE = 1000,
	BOB = 1001,
	STUDENTS = 2000,
	SHOWN = 5,  /* differences printed whole */
	DENIED = 3, /* tapgate-helper's exit code for it */
	TEXT = 65536,
};

/* The same person with and without a group: files may be readable by it alone. */
static const struct caller {
	uid_t uid;
	gid_t gid, group;
} callers[] = {{ALICE, ALICE, STUDENTS}, {BOB, BOB, BOB}, {BOB, BOB, STUDENTS}};

/* bridge.conf first. A file includes only files after it: loops are no common ground. */
static const char *const paths[] = {"/etc/qemu/bridge.conf", "/etc/qemu/a.conf", "/etc/qemu/b", "/etc/qemu/with blank",
	"/etc/qemu/deeper/c.conf", "/etc/qemu/deeper/d"};
enum { FILES = sizeof(paths) / sizeof(*paths) };

static const char *const names[] = {"br0", "br1", "br2", "fifteen-bytes-x", "fifteen-bytes", "br", "br00", "BR0", "all",
	"all", "aLe", "alle", "virbr0", "a.b_c-d@e", "br0+1", "0", "_"};

/* --- writing a file ----------------------------------------------------------------------------------------------- */

struct text {
	char at[TEXT];
	size_t size;
};

static void put(struct text *text, const char *string)
{
	size_t size = strlen(string);

	if (text->size + size >= sizeof(text->at))
		abort();
	memcpy(text->at + text->size, string, size + 1);
	text->size += size;
}

static void put_blanks(struct text *text, const char *kinds, unsigned int most)
{
	for (unsigned int n = below(most + 1); n > 0; n--)
		put(text, (char[]){kinds[below((unsigned int)strlen(kinds))], '\0'});
}

/*
 * A word, blanks, the rest, blanks. qemu's helper takes the first space of a line for the end of the word, and only in
 * a line without one the first tab: a separator that begins with a tab leaves no room for a space after it.
 */
static void put_command(struct text *text, const char *word, const char *rest)
{
	bool tabs = chance(3) && !strchr(rest, ' ');
	const char *kinds = tabs ? "\t" : " \t";

	put_blanks(text, " \t", chance(3) ? 3 : 0);
	put(text, word);
	put(text, tabs ? "\t" : " ");
	put_blanks(text, kinds, 2);
	put(text, rest);
	put_blanks(text, kinds, chance(3) ? 2 : 0);
	put(text, "\n");
}

static void put_comment(struct text *text)
{
	static const char *const words[] = {" allow all", " deny all", "\t", " ", "#", " include /etc/passwd",
		" \xc3\xa9", " Bridges for the lab, 2019", "'", "\\", "%s"};

	put_blanks(text, " \t", 2);
	put(text, "#");
	for (unsigned int n = below(chance(20) ? 200 : 5); n > 0; n--)
		put(text, words[below(sizeof(words) / sizeof(*words))]);
	put(text, "\n");
}

static void put_line(struct text *text, unsigned int file)
{
	switch (below(10)) {
	case 0:
		put_blanks(text, " \t", 3);
		put(text, "\n");
		break;
	case 1:
	case 2:
		put_comment(text);
		break;
	case 3:
	case 4:
		if (file + 1 < FILES)
			put_command(text, "include", paths[file + 1 + below(FILES - file - 1)]);
		break;
	case 5:
		put_command(text, "deny", names[below(sizeof(names) / sizeof(*names))]);
		break;
	default:
		put_command(text, "allow", names[below(sizeof(names) / sizeof(*names))]);
		break;
	}
}

static void write_file(const char *path, const char *text, mode_t mode, gid_t group)
{
	FILE *file = fopen(path, "w");

	if (!file || fputs(text, file) < 0 || fclose(file) != 0 || chown(path, 0, group) < 0 || chmod(path, mode) < 0)
		fail(path);
}

/* A file with a mode that lets everybody read it, or a group, or nobody. */
static void write_random(unsigned int number, struct text *text, mode_t *mode, gid_t *group)
{
	static const gid_t groups[] = {0, ALICE, BOB, STUDENTS};

	text->size = 0;
	text->at[0] = '\0';
	for (unsigned int lines = below(7); lines > 0; lines--)
		put_line(text, number);
	*group = groups[below(4)];
	*mode = chance(3) ? 0640 : 0644;
	write_file(paths[number], text->at, *mode, *group);
}

static void write_policy(void)
{
	struct text text;
	mode_t mode = 0644;
	gid_t group = 0;

	for (unsigned int number = FILES; number-- > 0;)
		write_random(number, &text, &mode, &group);
	if (chance(2))
		write_file("/etc/tapgate.conf", text.at, mode, group);
	else
		write_file("/etc/tapgate.conf", "include /etc/qemu/bridge.conf\n", 0644, 0);
}

/* --- asking ------------------------------------------------------------------------------------------------------- */

static void become(const struct caller *caller)
{
	if (setgroups(1, &caller->group) < 0 || setresgid(caller->gid, caller->gid, caller->gid) < 0 ||
		setresuid(caller->uid, caller->uid, caller->uid) < 0)
		_exit(126);
}

/* Whether a descriptor comes over a socket before its end. */
static bool receive(int sock)
{
	const struct received received = receive_message(sock, 0);

	received_close(&received, 0);
	return received.bytes == 1 && received.count;
}

/* Run a helper; returns its exit code, or -1 if that and what came over the socket do not go together. */
static int ask(const char *helper, const struct caller *caller, const char *bridge)
{
	char network[64], descriptor[32];
	int pair[2], status = 0;
	bool came;
	pid_t child;

	if (seteuid(caller->uid) < 0 || socketpair(AF_UNIX, SOCK_STREAM, 0, pair) < 0 || seteuid(0) < 0)
		fail("socketpair");
	child = fork();
	if (child == 0) {
		int null = open("/dev/null", O_RDWR);

		dup2(null, 2);
		close(null);
		close(pair[0]);
		snprintf(network, sizeof(network), "--br=%s", bridge);
		snprintf(descriptor, sizeof(descriptor), "--fd=%d", pair[1]);
		become(caller);
		execl(helper, helper, network, descriptor, (char *)NULL);
		_exit(127);
	}
	close(pair[1]);
	came = receive(pair[0]);
	close(pair[0]);
	if (child < 0 || waitpid(child, &status, 0) != child)
		fail("waitpid");
	return WIFEXITED(status) && came == (WEXITSTATUS(status) == 0) ? WEXITSTATUS(status) : -1;
}

static void show(const char *path)
{
	struct stat status;
	FILE *file = fopen(path, "r");
	int byte;

	if (!file || fstat(fileno(file), &status) < 0)
		fail(path);
	printf("--- %s, mode %o, group %u\n", path, status.st_mode & 07777, status.st_gid);
	while ((byte = fgetc(file)) != EOF) {
		if (byte == '\t')
			printf("\\t");
		else
			putchar(byte);
	}
	fclose(file);
}

enum verdict { BOTH_DENY, BOTH_GRANT, DIFFERENT };

static enum verdict compare(const char *bridge, const struct caller *caller, unsigned int policy)
{
	int theirs = ask(getenv("QEMU_HELPER"), caller, bridge), ours = ask(getenv("HELPER"), caller, bridge);

	if (theirs == 0 && ours == 0)
		return BOTH_GRANT;
	if (theirs == 1 && ours == DENIED)
		return BOTH_DENY;
	printf("FAILED: policy %u, uid %u with group %u on '%s': qemu's helper says %d, ours %d\n", policy, caller->uid,
		caller->group, bridge, theirs, ours);
	return DIFFERENT;
}

/* All callers and bridges at once, each in a process: most of the time is the kernel's, for taking taps down. */
static void compare_all(char **bridges, unsigned int policy, unsigned int counts[static DIFFERENT + 1])
{
	unsigned int different = counts[DIFFERENT];
	int status;

	fflush(stdout);
	for (size_t i = 0; i < sizeof(callers) / sizeof(*callers); i++) {
		for (char **bridge = bridges; *bridge; bridge++) {
			pid_t child = fork();

			if (child < 0)
				fail("fork");
			if (child == 0)
				exit((int)compare(*bridge, &callers[i], policy));
		}
	}
	while (wait(&status) > 0)
		counts[WIFEXITED(status) && WEXITSTATUS(status) < DIFFERENT ? WEXITSTATUS(status) : DIFFERENT]++;
	if (counts[DIFFERENT] == different || different >= SHOWN)
		return;
	show("/etc/tapgate.conf");
	for (unsigned int number = 0; number < FILES; number++)
		show(paths[number]);
}

int main(int argc, char **argv)
{
	unsigned int policies, counts[DIFFERENT + 1] = {0};

	if (argc < 4 || !getenv("QEMU_HELPER") || !getenv("HELPER"))
		return fprintf(stderr, "usage: compare SEED COUNT BRIDGE...\n"), 2;
	begin_chance(argv[1]);
	policies = (unsigned int)strtoul(argv[2], NULL, 10);
	if (mkdir("/etc/qemu/deeper", 0755) < 0)
		fail("/etc/qemu/deeper");
	for (unsigned int policy = 0; policy < policies; policy++) {
		write_policy();
		compare_all(argv + 3, policy, counts);
	}
	printf("%u %u %u\n", counts[BOTH_DENY] + counts[BOTH_GRANT], counts[DIFFERENT], counts[BOTH_GRANT]);
	return counts[DIFFERENT] > 0;
}
