/*
 * Policy files: which count, which refuse every request, which say nothing to a caller; and who a rule means.
 * The grammar itself is tested in tests/unit.
 */
#include "tests/netns/harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* One state of the files and what comes of it: a grant on br0, or a refusal. */
struct row {
	const char *about;
	const char *prepare; /* a shell command that makes the policy, in an empty /etc/tapgate* */
	int code;	     /* 0: granted */
	const char *words;   /* of the message */
	const struct user *user;
};

static void check_rows(const struct row *rows, size_t count)
{
	make_bridge("br0");
	for (size_t i = 0; i < count; i++) {
		const struct call call = {.about = rows[i].about, .user = rows[i].user};

		command("rm -rf /etc/tapgate*");
		command("%s", rows[i].prepare);
		if (rows[i].code == 0)
			expect_grant(&call, "br0");
		else
			expect_refusal(&call, rows[i].code, rows[i].words);
	}
}

#define P     "/etc/tapgate.conf"
#define ALLOW "echo allow br0 >" P "; "
#define HIDES "no rule that this user may read allows it ('" P "' is not readable)"
#define UNLIKE_ITS_MODE                                                                                                \
	P ": everybody may read it by its mode, yet this user may not, by its group, an access control list"
#define OTHERS P ": it can be written by others than root"

/*
 *	alice --- ? --- br0, by /etc/tapgate.conf
 */
static void test_main_file(void **state)
{
	static const struct row rows[] = {
		{"an ordinary file", ALLOW, 0, NULL, NULL},
		{"read-only", ALLOW "chmod 444 " P, 0, NULL, NULL},
		{"of another group", ALLOW "chgrp students " P, 0, NULL, NULL},
		{"setuid, which means nothing", ALLOW "chmod 6755 " P, 0, NULL, NULL},
		{"a hard link to root's", ALLOW "ln " P " /etc/tapgate.link", 0, NULL, NULL},
		{"missing", ":", 4, P ": No such file or directory", NULL},
		{"empty", ": >" P, 3, "no rule allows it", NULL},
		{"a FIFO", "mkfifo " P, 4, P ": it is not a regular file", NULL},
		{"a directory", "mkdir " P, 4, P ": it is a directory", NULL},
		{"/dev/zero", "mknod " P " c 1 5", 4, P ": it is not a regular file", NULL},
		{"/dev/zero, for all to read", "mknod -m 666 " P " c 1 5", 4, P ": it is not a regular file", NULL},
		{"a terminal", "mknod -m 666 " P " c 5 0", 4, P ": it is not a regular file", NULL},
		{"a link to /dev/stdin", "ln -s /dev/stdin " P, 4, P ": ", NULL},
		{"a link to /proc/self/environ", "ln -s /proc/self/environ " P, 4, P ": ", NULL},
		{"alice's", ALLOW "chown alice " P, 4, P ": it does not belong to root", NULL},
		{"bob's", ALLOW "chown bob " P, 4, P ": it does not belong to root", NULL},
		{"writable by its group", ALLOW "chmod 664 " P, 4, OTHERS, NULL},
		{"writable by root's group", ALLOW "chmod 620 " P "; chgrp students " P, 3, HIDES, NULL},
		{"writable by others", ALLOW "chmod 646 " P, 4, OTHERS, NULL},
		{"writable by all", ALLOW "chmod 666 " P, 4, OTHERS, NULL},
		{"larger than 4 MiB", "yes 2>/dev/null '# comment' | head -c 4194305 >" P, 4,
			P ": the policy is larger than 4 MiB", NULL},
		{"very large, and empty", ALLOW "truncate -s 1T " P, 4, P ": the policy is larger than 4 MiB", NULL},
		{"4 MiB", "(yes 2>/dev/null '# comment' | head -n 400000; echo allow br0) >" P, 0, NULL, NULL},
		{"root's alone", ALLOW "chmod 600 " P, 3, HIDES, NULL},
		{"mode 0", ALLOW "chmod 0 " P, 3, HIDES, NULL},
		{"one group's, hers", ALLOW "chmod 640 " P "; chgrp students " P, 0, NULL, NULL},
		{"everybody's but one group's, hers", ALLOW "chmod 604 " P "; chgrp students " P, 4, UNLIKE_ITS_MODE,
			NULL},
		{"everybody's but one group's, not hers", ALLOW "chmod 604 " P "; chgrp students " P, 0, NULL, &carol},
		{"one group's, not hers", ALLOW "chmod 640 " P "; chgrp students " P, 3, HIDES, &carol},
	};

	(void)state;
	check_rows(rows, COUNT(rows));
}

/*
 *	alice, bob --- ? --- br0, by a file that an access control list opens
 */
static void test_access_control_lists(void **state)
{
	static const struct row rows[] = {
		{"alice may write", ALLOW "setfacl -m u:alice:rw " P, 4, OTHERS, NULL},
		{"alice may write, bob asks", ALLOW "setfacl -m u:alice:rw " P, 4, OTHERS, &bob},
		{"alice may write, not read", ALLOW "setfacl -m u:alice:w " P, 4, UNLIKE_ITS_MODE, NULL},
		{"alice may do nothing", ALLOW "setfacl -m u:alice:- " P, 4, UNLIKE_ITS_MODE, NULL},
		{"a group may write", ALLOW "setfacl -m g:guests:rwx " P, 4, OTHERS, NULL},
		{"the mask takes it back", ALLOW "setfacl -m u:alice:rw,m::r " P, 0, NULL, NULL},
		{"alice may read what others may not", ALLOW "chmod 600 " P "; setfacl -m u:alice:r " P, 0, NULL, NULL},
		{"and bob may not", ALLOW "chmod 600 " P "; setfacl -m u:alice:r " P, 3, HIDES, &bob},
	};

	(void)state;
	if (!have_program("setfacl"))
		return;
	if (shell_status("echo >/etc/tapgate.acl && setfacl -m u:alice:r /etc/tapgate.acl 2>/dev/null") != 0) {
		cannot_test("this kernel's tmpfs has no access control lists");
		return;
	}
	check_rows(rows, COUNT(rows));
}

#define INCLUDE(path) "echo include " path " >" P "; "
#define I	      "/etc/tapgate.include"
#define D	      "/etc/tapgate.d"
#define CANNOT(path)  P ":1:9: cannot include '" path "': "
#define ON_THE_WAY    "a directory on the way to it "

/*
 *	alice, bob --- ? --- br0, by a file that /etc/tapgate.conf includes
 */
static void test_includes(void **state)
{
	static const struct row rows[] = {
		{"an ordinary file", INCLUDE(I) "echo allow br0 >" I, 0, NULL, NULL},
		{"alice's group may read it, alice",
			INCLUDE(I) "echo allow br0 >" I "; chmod 640 " I "; chgrp alice " I, 0, NULL, NULL},
		{"alice's group may read it, bob", INCLUDE(I) "echo allow br0 >" I "; chmod 640 " I "; chgrp alice " I,
			3, "no rule that this user may read allows it ('" I "' is not readable)", &bob},
		{"what cannot be read says nothing",
			INCLUDE(I) "echo allow br0 >>" P "; echo deny br0 >" I "; chmod 640 " I, 0, NULL, NULL},
		{"a directory that cannot be searched", INCLUDE(D "/a") "mkdir -m 700 " D "; echo allow br0 >" D "/a",
			3, "('" D "/a' is not readable)", NULL},
		{"missing", INCLUDE(I) "echo allow br0 >>" P, 4, CANNOT(I) "No such file or directory", NULL},
		{"missing, in a missing directory", INCLUDE(D "/a"), 4, CANNOT(D "/a") "No such file or directory",
			NULL},
		{"a file on the way", INCLUDE(P "/a"), 4, CANNOT(P "/a") "Not a directory", NULL},
		{"a directory", INCLUDE(D) "mkdir " D, 4, CANNOT(D) "it is a directory", NULL},
		{"the root directory", INCLUDE("/"), 4, CANNOT("/") "it is a directory", NULL},
		{"itself", INCLUDE(P) "echo allow br0 >>" P, 4, CANNOT(P) "the file includes itself", NULL},
		{"itself by another name",
			INCLUDE("/etc/../etc/./"
				"tapgate.conf"),
			4, "the file includes itself", NULL},
		{"itself by a link", INCLUDE(I) "ln -s " P " " I, 4, CANNOT(I) "the file includes itself", NULL},
		{"a loop of two", INCLUDE(I) "echo include " P " >" I, 4, I ":1:9: cannot include '" P "'", NULL},
		{"under alice's directory", INCLUDE(D "/a") "install -d -o alice " D "; echo allow br0 >" D "/a", 4,
			CANNOT(D "/a") ON_THE_WAY "does not belong to root", NULL},
		{"under a directory in alice's",
			INCLUDE(D "/b/a") "install -d -o alice " D "; mkdir " D "/b; echo allow br0 >" D "/b/a", 4,
			CANNOT(D "/b/a") ON_THE_WAY "does not belong to root", NULL},
		{"under a directory for its group to write",
			INCLUDE(D "/a") "mkdir -m 775 " D "; echo allow br0 >" D "/a", 4,
			CANNOT(D "/a") ON_THE_WAY "can be written by others than root", NULL},
		{"under one for all to write", INCLUDE(D "/a") "mkdir -m 777 " D "; echo allow br0 >" D "/a", 4,
			CANNOT(D "/a") ON_THE_WAY "can be written by others than root", NULL},
		{"past one for all to write", INCLUDE(D "/../tapgate.include") "mkdir -m 777 " D "; echo allow br0 >" I,
			4, ON_THE_WAY "can be written by others than root", NULL},
		{"a link", INCLUDE(I) "echo allow br0 >" I ".real; ln -s tapgate.include.real " I, 0, NULL, NULL},
		{"a link with a whole path", INCLUDE(I) "echo allow br0 >" I ".real; ln -s " I ".real " I, 0, NULL,
			NULL},
		{"a link to a link to a directory",
			INCLUDE(D "/a") "mkdir " D ".real; echo allow br0 >" D ".real/a; ln -s " D ".real " D
					".link; ln -s " D ".link " D,
			0, NULL, NULL},
		{"a link of alice's, in root's directory",
			INCLUDE(I) "echo allow br0 >" I ".real; ln -s " I ".real " I "; chown -h alice " I, 0, NULL,
			NULL},
		{"a link through alice's directory",
			INCLUDE(I) "install -d -o alice " D "; echo allow br0 >" D "/a; ln -s " D "/a " I, 4,
			CANNOT(I) ON_THE_WAY "does not belong to root", NULL},
		{"a link in alice's directory to root's file",
			INCLUDE(D "/a") "install -d -o alice " D "; echo allow br0 >" I "; ln -s " I " " D "/a", 4,
			CANNOT(D "/a") ON_THE_WAY "does not belong to root", NULL},
		{"a link to nothing", INCLUDE(I) "ln -s /nowhere " I, 4, CANNOT(I) "No such file or directory", NULL},
		{"a link to itself", INCLUDE(I) "ln -s " I " " I, 4, CANNOT(I) "too many symbolic links", NULL},
		{"alice's file", INCLUDE(I) "echo allow br0 >" I "; chown alice " I, 4,
			CANNOT(I) "it does not belong to root", NULL},
		{"a file for all to write", INCLUDE(I) "echo allow br0 >" I "; chmod 666 " I, 4,
			CANNOT(I) "it can be written by others than root", NULL},
		{"a FIFO", INCLUDE(I) "mkfifo -m 644 " I, 4, CANNOT(I) "it is not a regular file", NULL},
		{"/dev/null", INCLUDE("/dev/null"), 4, "it is not a regular file", NULL},
		{"/proc/self/status", INCLUDE("/proc/self/status"), 4, "does not belong to root", NULL},
		{"/proc/self/fd/7", INCLUDE("/proc/self/fd/7"), 4, "cannot include", NULL},
		{"a name of 256 bytes", "echo include /etc/$(printf %0256d 1) >" P, 4, "File name too long", NULL},
		{"two files, 4 MiB together",
			INCLUDE(I) "yes 2>/dev/null '# comment' | head -n 400000 >" I "; cat " I " >>" P, 4, P ":",
			NULL},
	};

	(void)state;
	check_rows(rows, COUNT(rows));
}

/* Whoever stands in the way is named, with what an administrator can do (NixOS/nix#13701). */
#define CURE(uid, mode, cure, path) " (uid " uid ", mode " mode "); an administrator can " cure " '" path "'"
#define OTHERS_WRITE		    "can be written by others than root"
#define NOT_ITS_OWN		    OTHERS_WRITE ", and what it leads to there is not root's"

/*
 *	alice --- ? --- br0, by a file that is not to be believed
 */
static void test_what_is_told(void **state)
{
	static const struct row rows[] = {
		{"the file's owner", ALLOW "chown alice " P, 4,
			P ": it does not belong to root" CURE("1000", "0644", "look at it and run: chown root", P),
			NULL},
		{"the file's mode", ALLOW "chmod 666 " P, 4, OTHERS CURE("0", "0666", "run: chmod go-w", P), NULL},
		{"of a link the file behind it",
			INCLUDE(I) "mkdir " D "; echo allow br0 >" D "/a; chmod 664 " D "/a; ln -s tapgate.d/a " I, 4,
			CANNOT(I) "it " OTHERS_WRITE CURE("0", "0664", "run: chmod go-w", D "/a"), NULL},
		{"a directory's owner",
			INCLUDE(D "/b/a") "mkdir -p " D "/b; chown bob " D "; echo allow br0 >" D "/b/a", 4,
			CANNOT(D "/b/a") ON_THE_WAY
			"does not belong to root" CURE("1001", "0755", "look at it and run: chown root", D),
			NULL},
		{"a directory's mode",
			INCLUDE(D "/b/a") "mkdir -p " D "/b; chmod 775 " D "/b; echo allow br0 >" D "/b/a", 4,
			CANNOT(D "/b/a") ON_THE_WAY OTHERS_WRITE CURE("0", "0775", "run: chmod go-w", D "/b"), NULL},
		{"a directory that links lead to",
			INCLUDE(D "/a") "mkdir -m 777 " D ".real; echo allow br0 >" D
					".real/a; ln -s tapgate.d.real " D,
			4, CANNOT(D "/a") ON_THE_WAY OTHERS_WRITE CURE("0", "0777", "run: chmod go-w", D ".real"),
			NULL},
		{"a directory with a name that no terminal likes",
			INCLUDE("'" D "'") "d=$(printf '" D "/a\\033[31m'); mkdir -p \"$d\"; chmod 777 \"$d\"; ln -s "
					   "\"$d/x\" " I "; echo include " I " >" P,
			4, CURE("0", "0777", "run: chmod go-w", D "/a\\x1b[31m"), NULL},
	};

	(void)state;
	check_rows(rows, COUNT(rows));
}

/*
 *	alice --- ? --- br0, by a file in a directory that others may write, and that is sticky
 *
 * As good as one that they cannot write, where what it leads to is root's. (NixOS/nixpkgs#311807: /etc/tapgate.conf
 * leads through /etc/static into a store with mode 1775.)
 */
static void test_sticky(void **state)
{
	static const struct row rows[] = {
		{"root's file", INCLUDE(D "/a") "mkdir -m 1777 " D "; echo allow br0 >" D "/a", 0, NULL, NULL},
		{"a store, by links that are root's",
			"install -d -m 1775 -g students " D "; mkdir " D "/static; echo allow br0 >" D
			"/1-conf; ln -s " D "/1-conf " D "/static/conf; ln -s " D "/static " I "; ln -s " I "/conf " P,
			0, NULL, NULL},
		{"past it", INCLUDE(D "/../tapgate.include") "mkdir -m 1777 " D "; echo allow br0 >" I, 0, NULL, NULL},
		{"not sticky", INCLUDE(D "/a") "mkdir -m 777 " D "; echo allow br0 >" D "/a", 4,
			CANNOT(D "/a") ON_THE_WAY OTHERS_WRITE " (uid 0, mode 0777)", NULL},
		{"alice's directory", INCLUDE(D "/a") "install -d -m 1777 -o alice " D "; echo allow br0 >" D "/a", 4,
			CANNOT(D "/a") ON_THE_WAY "does not belong to root (uid 1000, mode 1777)", NULL},
		{"alice's file", INCLUDE(D "/a") "mkdir -m 1777 " D "; echo allow br0 >" D "/a; chown alice " D "/a", 4,
			CANNOT(D "/a") ON_THE_WAY NOT_ITS_OWN CURE("0", "1777", "move the file out of", D), NULL},
		{"alice's link to root's file",
			INCLUDE(D "/a") "mkdir -m 1777 " D "; echo allow br0 >" I "; ln -s " I " " D
					"/a; chown -h alice " D "/a",
			4, CANNOT(D "/a") ON_THE_WAY NOT_ITS_OWN, NULL},
		{"root's file in alice's directory",
			INCLUDE(D "/b/a") "mkdir -m 1777 " D "; install -d -o alice " D "/b; echo allow br0 >" D "/b/a",
			4, CANNOT(D "/b/a") ON_THE_WAY NOT_ITS_OWN, NULL},
		{"root's file that others can write",
			INCLUDE(D "/a") "mkdir -m 1777 " D "; echo allow br0 >" D "/a; chmod 666 " D "/a", 4,
			CANNOT(D "/a") "it " OTHERS_WRITE, NULL},
		{"nothing there", INCLUDE(D "/a") "mkdir -m 1777 " D, 4, CANNOT(D "/a") "No such file or directory",
			NULL},
	};

	(void)state;
	check_rows(rows, COUNT(rows));
}

/*
 *	alice --- ? --- br0, by root's file, which alice would replace
 *
 * What the sticky bit is trusted for, as the kernel keeps it: and without it each of these succeeds.
 */
static void test_sticky_is_kept(void **state)
{
	static const char *const attacks[] = {"mv a b", "rm -f a", "echo deny br0 >mine && mv -f mine a",
		"ln -sf /nowhere a", "echo >>a", "ln -s /nowhere link && mv -fT link a", "unshare -Ur mv a b",
		"unshare -Ur rm -f a", "mv ../tapgate.d .."};

	(void)state;
	make_bridge("br0");
	for (size_t i = 0; i < COUNT(attacks); i++) {
		const bool never = strstr(attacks[i], ">>a") || strstr(attacks[i], "..");

		for (int sticky = 0; sticky < 2; sticky++) {
			command("rm -rf /etc/tapgate*; mkdir " D "; echo allow br0 >" D "/a; echo include " D "/a >" P
				"; chmod %s " D,
				sticky ? "1777" : "0777");
			if (strstr(attacks[i], "unshare") &&
				shell_status("setpriv --reuid alice --clear-groups unshare -Ur true 2>/dev/null") != 0)
				continue; /* this kernel lets nobody have a user namespace */
			/* Without the bit each succeeds but those that the file's mode or another directory stops. */
			assert_int_equal(
				shell_status("cd " D " && setpriv --reuid alice --regid alice --clear-groups sh "
					     "-c '%s' 2>/dev/null",
					attacks[i]) == 0,
				!sticky && !never);
			if (sticky)
				expect_grant(&(struct call){.about = attacks[i]}, "br0");
		}
	}
}

#define TEXT(text) "printf '" text "' >" P

/*
 *	alice --- ? --- br0, by a line that is wrong among lines that are right
 *
 * No line is skipped, wherever it stands.
 */
static void test_lines(void **state)
{
	static const struct row rows[] = {
		{"first", TEXT("alow br1\\nallow br0\\nallow br2\\n"), 4,
			P ":1:1: unknown word 'alow', expected 'allow'", NULL},
		{"middle", TEXT("allow br0\\n  Deny br1\\nallow br2\\n"), 4, P ":2:3: unknown word 'Deny'", NULL},
		{"last", TEXT("allow br0\\nallow br2\\nallow br0 usr=alice\\n"), 4, P ":3:11: ", NULL},
		{"NUL", TEXT("allow br0\\nallow br1\\0\\n"), 4, P ":2:10: byte 0x00", NULL},
		{"CR", TEXT("allow br0\\r\\n"), 4, P ":1:10: carriage return", NULL},
		{"BOM", TEXT("\\357\\273\\277allow br0\\n"), 4, P ":1:1: byte order mark", NULL},
		{"ESC", TEXT("allow br0\\nallow \\033[31m\\n"), 4, P ":2:7: byte 0x1b", NULL},
		{"C1", TEXT("allow br0\\nallow \\23331m\\n"), 4, P ":2:7: byte 0x9b", NULL},
		{"no newline at the end", TEXT("deny br1\\nallow br0"), 4, P ":2:10: file ends inside a line", NULL},
		{"no newline, in a comment", TEXT("allow br0\\n# end"), 4, P ":2:6: file ends inside a line", NULL},
		{"a line of 4096 bytes", "(echo allow br0; printf 'deny br1%04088s\\n' ' ') >" P, 4,
			P ":2:4096: line goes on", NULL},
		{"a name of 16 bytes", TEXT("allow br0\\ndeny sixteen-bytes-ab\\n"), 4, P ":2:6: ", NULL},
		{"an unknown user", TEXT("allow br0 user=nobody-here\\n"), 3, "no rule allows it", NULL},
		{"a user that is no number", TEXT("allow br0 user=#x\\n"), 4, P ":1:", NULL},
		{"isolated, of a rule", TEXT("allow br0 isolated\\n"), 0, NULL, NULL},
		{"isolated, of a network", TEXT("network br0 bridged isolated\\nallow br0\\n"), 0, NULL, NULL},
		{"mtu=, of a bridged network", TEXT("network br0 bridged mtu=1400\\nallow br0\\n"), 1,
			"the MTU of bridge 'br0' may follow its ports' and fall to mtu=1400 of " P ":1", NULL},
		{"mtu=, more than a tap has", TEXT("network br0 standalone 10.0.0.1/24 mtu=65522\\nallow br0\\n"), 4,
			P ":1:40: mtu='65522', expected a number from 68 to 65521", NULL},
		{"guard", TEXT("allow br0 guard\\n"), 1, "so 'guard' of " P ":1 (allow br0 guard) cannot be kept",
			NULL},
		{"lock-mac", TEXT("allow br0 lock-mac\\n"), 0, NULL, NULL},
		{"mac=", TEXT("allow br0 mac=02:00:00:00:00:01\\n"), 0, NULL, NULL},
		{"a host-only network", TEXT("network br0 host-only 172.16.2.1/24\\nallow br0\\n"), 1,
			"network 'br0' is not up: bridge 'br0' is not of tapgate's making", NULL},
		{"an internal network", TEXT("allow br0\\nnetwork br0 internal\\n"), 1,
			"network 'br0' is not up: bridge 'br0' is not of tapgate's making", NULL},
		{"a bridged network", TEXT("network br0 bridged\\nallow br0\\n"), 0, NULL, NULL},
		{"what cannot be given elsewhere does not matter", TEXT("allow br1 guard\\nallow br0\\n"), 0, NULL,
			NULL},
		{"a host-only network that is not allowed", TEXT("network br0 host-only 172.16.2.1/24\\n"), 3,
			"no rule allows it", NULL},
	};

	(void)state;
	check_rows(rows, COUNT(rows));
}

static const gid_t no_groups[1], many_groups[] = {3000, 3001, STUDENTS, 3002}, alices_group[] = {ALICE};
static const struct user alice_without_groups = {ALICE, ALICE, no_groups, 0};
static const struct user alice_as_student = {ALICE, STUDENTS, no_groups, 0};
static const struct user alice_in_many = {ALICE, ALICE, many_groups, 4};
static const struct user carol_without_groups = {CAROL, CAROL, no_groups, 0};
static const struct user carol_elsewhere = {CAROL, 3000, alices_group, 1};
static const struct user stranger = {10000, 10000, no_groups, 0};
static const struct user short_stranger = {100, 100, no_groups, 0};

/* Who logs in again keeps the old groups where something outlives that (virt-manager/virt-manager#585). */
#define DROPPED                                                                                                        \
	"is for a group of this user's that this process does not hold; log in again (user managers that linger, "     \
	"tmux and libvirt's session daemon keep the old groups until they end), or start it with that group"

/*
 *	(user) --- ? --- br0
 *
 * /etc/passwd: alice 1000, bob 1001, carol 1002. /etc/group: students 2000 (alice, bob), guests 2001 (carol).
 */
static void test_who(void **state)
{
	static const struct row rows[] = {
		{"user by name", TEXT("allow br0 user=alice\\n"), 0, NULL, &alice},
		{"user by name, another", TEXT("allow br0 user=alice\\n"), 3, "no rule allows it", &bob},
		{"user by number", TEXT("allow br0 user=#1000\\n"), 0, NULL, &alice},
		{"user by number, another", TEXT("allow br0 user=#1000\\n"), 3, "no rule allows it", &bob},
		{"1000 is not 10000", TEXT("allow br0 user=#1000\\n"), 3, "no rule allows it", &stranger},
		{"10000 is not 1000", TEXT("allow br0 user=#10000\\n"), 3, "no rule allows it", &alice},
		{"100 is not 1000", TEXT("allow br0 user=#1000\\n"), 3, "no rule allows it", &short_stranger},
		{"10000 by number", TEXT("allow br0 user=#10000\\n"), 0, NULL, &stranger},
		{"a list of users", TEXT("allow br0 user=alice,#1002\\n"), 0, NULL, &carol},
		{"a list of users, another", TEXT("allow br0 user=alice,#1002\\n"), 3, "no rule allows it", &bob},
		{"root is not everybody's root", TEXT("allow br0 user=root\\n"), 3, "no rule allows it", &alice},
		{"group by name", TEXT("allow br0 group=students\\n"), 0, NULL, &bob},
		{"group by number", TEXT("allow br0 group=#2000\\n"), 0, NULL, &alice},
		{"group, another", TEXT("allow br0 group=students\\n"), 3, "no rule allows it", &carol},
		{"group, the primary one", TEXT("allow br0 group=students\\n"), 0, NULL, &alice_as_student},
		{"group, one of many", TEXT("allow br0 group=students\\n"), 0, NULL, &alice_in_many},
		{"a user's own group", TEXT("allow br0 group=alice\\n"), 0, NULL, &alice_without_groups},
		{"a group that is not dropped but new", TEXT("allow br0 group=alice\\n"), 0, NULL, &carol_elsewhere},
		{"dropped: an allow wants the group held", TEXT("allow br0 group=students\\n"), 3, DROPPED,
			&alice_without_groups},
		{"dropped: a deny holds", TEXT("allow br0\\ndeny br0 group=guests\\n"), 3, "denied by " P ":2",
			&carol_without_groups},
		{"dropped: a deny of the primary group holds", TEXT("allow br0\\ndeny br0 group=carol\\n"), 3,
			"denied by " P ":2", &carol_elsewhere},
		{"dropped: the rule for everybody is not it", TEXT("allow br0\\nallow br0 group=students max=1\\n"), 3,
			DROPPED, &alice_without_groups},
		{"deny wins, first", TEXT("deny br0 user=alice\\nallow br0\\n"), 3,
			"denied by " P ":1 (deny br0 user=alice)", &alice},
		{"deny wins, last", TEXT("allow br0 user=alice\\ndeny br0\\n"), 3, "denied by " P ":2 (deny br0)",
			&alice},
		{"deny all", TEXT("allow br0 user=alice\\ndeny all group=students\\n"), 3,
			"denied by " P ":2 (deny all group=students)", &alice},
		{"a deny for others", TEXT("allow br0\\ndeny br0 user=bob\\n"), 0, NULL, &alice},
		{"a deny that may be his", TEXT("allow br0\\ndeny br0 user=ldap-user\\n"), 3, "is in no account file",
			&stranger},
		{"a deny that cannot be hers", TEXT("allow br0\\ndeny br0 user=ldap-user\\n"), 0, NULL, &alice},
		{"an allow that may be his", TEXT("allow br0 user=ldap-user\\n"), 3, "no rule allows it", &stranger},
	};

	(void)state;
	check_rows(rows, COUNT(rows));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_main_file),
		TEST(test_access_control_lists),
		TEST(test_includes),
		TEST(test_what_is_told),
		TEST(test_sticky),
		TEST(test_sticky_is_kept),
		TEST(test_lines),
		TEST(test_who),
	};

	return RUN_TESTS(tests);
}
