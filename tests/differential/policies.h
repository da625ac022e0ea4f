// SPDX-License-Identifier: MIT
/*
 * For verdicts.c: random accounts, and random policies in which they stand: rules of every kind, denies, networks,
 * includes with random modes, owners and mistakes. Written over /etc, so only for a world of its own; says nothing of
 * what must come of them.
 */
#ifndef TESTS_DIFFERENTIAL_POLICIES_H
#define TESTS_DIFFERENTIAL_POLICIES_H

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/differential/chance.h"

enum { NOGROUP = 65534 };

#define COUNT_OF(array) (sizeof(array) / sizeof(*(array)))
#define ONE_OF(array)	((array)[below(COUNT_OF(array))])

/* --- accounts ----------------------------------------------------------------------------------------------------- */

static const struct caller {
	const char *name; /* NULL: a number that has none */
	uid_t uid;
} callers[] = {{"alice", 1000}, {"bob", 1001}, {"carol", 1002}, {"root", 0}, {NULL, 1500}, {NULL, 100005}};

static const struct {
	const char *name;
	gid_t gid;
} groups[] = {{"students", 2000}, {"guests", 2001}, {"staff", 2002}};

static gid_t primary[COUNT_OF(callers)]; /* of the callers that have names */

static FILE *begin_file(const char *path)
{
	FILE *file = fopen(path, "w");

	if (!file)
		fail(path);
	return file;
}

static void end_file(FILE *file, const char *path, mode_t mode, uid_t owner, gid_t group)
{
	if (fclose(file) != 0 || chown(path, owner, group) < 0 || chmod(path, mode) < 0)
		fail(path);
}

static void write_accounts(void)
{
	FILE *file = begin_file("/etc/passwd");

	for (size_t i = 0; i < COUNT_OF(callers); i++) {
		if (!callers[i].name)
			continue;
		primary[i] = callers[i].uid == 0 ? 0 : chance(2) ? callers[i].uid : ONE_OF(groups).gid;
		fprintf(file, "%s:x:%u:%u::/:/bin/sh\n", callers[i].name, callers[i].uid, primary[i]);
	}
	end_file(file, "/etc/passwd", 0644, 0, 0);

	file = begin_file("/etc/group");
	fprintf(file, "root:x:0:\nalice:x:1000:\nbob:x:1001:\n");
	for (size_t i = 0; i < COUNT_OF(groups); i++) {
		fprintf(file, "%s:x:%u:", groups[i].name, groups[i].gid);
		for (size_t j = 0, n = 0; j < 3; j++)
			if (chance(2))
				fprintf(file, "%s%s", n++ ? "," : "", callers[j].name);
		fprintf(file, "\n");
	}
	if (chance(2))
		fprintf(file, "nogroup:x:%u:\n", NOGROUP);
	end_file(file, "/etc/group", 0644, 0, 0);

	file = begin_file("/etc/subuid");
	if (chance(2))
		fprintf(file, "alice:100000:65536\n");
	end_file(file, "/etc/subuid", 0644, 0, 0);
}

/* --- policies ----------------------------------------------------------------------------------------------------- */

/* The policy first; a file includes only files after it. */
static const char *const paths[] = {
	"/etc/tapgate.conf", "/etc/qemu/a.conf", "/etc/qemu/with blank", "/etc/qemu/closed/c", "/etc/qemu/d"};

static const char *const networks[] = {"br0", "lab", "tap1", "other"};

static void put_who(FILE *file)
{
	static const char *const users[] = {
		"alice", "bob", "carol", "mallory", "#1000", "#1001", "#1500", "#100005", "#0"};
	static const char *const of_groups[] = {
		"students", "guests", "staff", "ghosts", "bob", "#2000", "#2001", "#1500"};
	bool user = chance(2);

	fprintf(file, " %s=", user ? "user" : "group");
	for (unsigned int n = 1 + below(2); n > 0; n--)
		fprintf(file, "%s%s", user ? ONE_OF(users) : ONE_OF(of_groups), n > 1 ? "," : "");
}

/* What needs no bridge, and what does: a mistake on a rule for a network without one. */
static void put_options(FILE *file, bool bridge)
{
	if (chance(3))
		fprintf(file, " max=%u", 1 + below(3));
	if (chance(3))
		fprintf(file, " queues=%u", 1 + below(4));
	if (chance(6))
		fprintf(file, " isolated");
	if (chance(6))
		fprintf(file, " mtu=%u", chance(8) ? 65530 : 1400);
	if (!bridge)
		return;
	if (chance(8))
		fprintf(file, " lock-mac");
	if (chance(8))
		fprintf(file, " mac=52:54:00:12:34:56");
	if (chance(12))
		fprintf(file, " guard");
	if (chance(12))
		fprintf(file, " vlan=7");
}

static void put_rule(FILE *file)
{
	bool allow = !chance(7);
	const char *network = chance(3) ? "all" : ONE_OF(networks);

	fprintf(file, "%s %s", allow ? "allow" : "deny", network);
	if (!chance(3) || !allow)
		put_who(file);
	if (allow)
		put_options(file, strcmp(network, "tap1") != 0 || chance(60));
	fprintf(file, "\n");
}

/* What concerns no tap: right and wrong, in values, and for want of something else. */
static const char *const told[] = {" dhcp=172.16.2.20-172.16.2.99", " dhcp=auto", " dhcp=10.0.0.1-10.0.0.9",
	" dhcp=nonsense", " dhcp=auto dns=here", " dhcp=auto lease=1s", " ra", " leases=2", " domain=local", " lock-ip",
	" dhcp=auto boot=x", " dhcp=auto max=2"};
static const char *const others[] = {"guest box on lab ip=172.16.2.9", "guest box on lab", "guest box on nowhere ip=x",
	"guest a.b on lab mac=52:54:00:12:34:56", "forward 80/tcp to box", "forward 0/tcp to a.b on 127.0.0.1",
	"forward 80/udp to nobody for tap1", "guest box lab", "guest box on lab max=1"};

/* Each network's line in one file at most. */
static void put_networks(FILE *file, unsigned int number, const unsigned int *places)
{
	static const char *const lines[] = {
		"network br0 bridged", "network lab host-only 172.16.2.1/24", "network tap1 standalone 172.16.3.1/24"};

	for (size_t i = 0; i < COUNT_OF(lines); i++) {
		if (places[i] != number)
			continue;
		fprintf(file, "%s", lines[i]);
		if (i < 2 && chance(3))
			fprintf(file, " lock-mac");
		if (chance(3))
			fprintf(file, " queues=%u", 1 + below(8));
		if (chance(4))
			fprintf(file, " isolated");
		if (chance(4))
			fprintf(file, " mtu=%u", chance(8) ? 65530 : 1300);
		if (i == 1 && chance(3)) /* the last one is refused by both */
			fprintf(file, "%s", told[below((unsigned int)COUNT_OF(told) - !chance(8))]);
		fprintf(file, "\n");
	}
}

static void put_lines(FILE *file, unsigned int number)
{
	for (unsigned int lines = 1 + below(number ? 4 : 6); lines > 0; lines--) {
		if (number + 1 < COUNT_OF(paths) && chance(4))
			fprintf(file, "include %s\n",
				paths[number + 1 + below((unsigned int)COUNT_OF(paths) - number - 1)]);
		else if (chance(150))
			fprintf(file, "%s\n", chance(2) ? "include /etc/qemu/missing" : "permit br0");
		else if (chance(12)) /* the last two are refused by both */
			fprintf(file, "%s\n", others[below((unsigned int)COUNT_OF(others) - (chance(8) ? 0 : 2))]);
		else
			put_rule(file);
	}
}

static gid_t random_group(void)
{
	return chance(4) ? 0 : chance(3) ? callers[below(3)].uid : ONE_OF(groups).gid;
}

/* For root alone; for a group and not for root, who has no capability then; for all but a group; to be written. */
static const mode_t odd_modes[] = {0600, 0600, 0040, 0040, 0040, 0604, 0664};

/* The directories that the files are in. */
static void make_directories(void)
{
	if (mkdir("/etc/qemu", 0755) < 0 && access("/etc/qemu", F_OK) < 0)
		fail("/etc/qemu");
	if (mkdir("/etc/qemu/closed", 0755) < 0)
		fail("/etc/qemu/closed");
}

static void write_policy(void)
{
	unsigned int places[3];

	for (size_t i = 0; i < COUNT_OF(places); i++)
		places[i] = chance(2) ? 0 : below((unsigned int)COUNT_OF(paths) * 2);
	if (chmod("/etc/qemu/closed", chance(2) ? 0755 : 0750) < 0 || chown("/etc/qemu/closed", 0, random_group()) < 0)
		fail("/etc/qemu/closed");
	for (unsigned int number = 0; number < COUNT_OF(paths); number++) {
		FILE *file = begin_file(paths[number]);
		mode_t mode = chance(number ? 2 : 12) ? 0640 : 0644;

		if (chance(20))
			mode = ONE_OF(odd_modes);
		put_networks(file, number, places);
		put_lines(file, number);
		end_file(file, paths[number], mode, chance(150) ? callers[0].uid : 0, random_group());
	}
}

static void show_file(const char *path)
{
	struct stat status;
	FILE *file = fopen(path, "r");
	int byte;

	if (!file || fstat(fileno(file), &status) < 0)
		fail(path);
	printf("--- %s, mode %o, owner %u:%u\n", path, status.st_mode & 07777, status.st_uid, status.st_gid);
	while ((byte = fgetc(file)) != EOF)
		putchar(byte);
	fclose(file);
}

static void show_policy(void)
{
	for (unsigned int number = 0; number < COUNT_OF(paths); number++)
		show_file(paths[number]);
	show_file("/etc/passwd");
	show_file("/etc/group");
	show_file("/etc/subuid");
}

#endif
