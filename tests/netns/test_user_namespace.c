// SPDX-License-Identifier: MIT
/*
 * User namespaces: the helper as root of one that an ordinary user made, of one that a container's manager made, and
 * in one where it is nobody. What belongs to ids that the namespace does not map is not taken for a user's of its own.
 */
#include "tests/netns/harness.h"

#include <fcntl.h>
#include <linux/if_tun.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <unistd.h>

static void write_map(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		_exit(124);
	close(fd);
}

/* Alice becomes root of a world of hers, with the bridges and the policy that a shell command makes. */
static void enter_namespace(const struct call *call)
{
	/* The kernel lets a process write its maps if it is its own to read. */
	prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
	if (unshare(CLONE_NEWUSER | CLONE_NEWNET | CLONE_NEWNS) < 0)
		_exit(123);
	write_map("/proc/self/setgroups", "deny");
	write_map("/proc/self/uid_map", "0 1000 1");
	write_map("/proc/self/gid_map", "0 1000 1");
	if (system(call->context) != 0)
		_exit(124);
}

/* What the kernel says of the tap in the network namespace that it is in. */
static void assert_tap_elsewhere(const struct result *result)
{
	struct ifreq request = {0};
	int net = ioctl(result->tap, SIOCGSKNS);

	EXPECT(result, net >= 0 && ioctl(result->tap, TUNGETIFF, &request) == 0);
	fcntl(net, F_SETFD, 0);
	command("nsenter --net=/proc/self/fd/%d ip -d -o link show dev %s | grep ' master br0 .* addrgenmode "
		"none.*alias "
		"tapgate uid=0 net=br0 vmm=%d' >/dev/null",
		net, request.ifr_name, (int)getpid());
	close(net);
}

/* A call of root's of a namespace, as the helper and the log see it. */
static void check(const struct call *call, int code, const char *words)
{
	char *before = snapshot();
	struct result result = run(call);

	result.call.user = &root;
	if (code == 0) {
		EXPECT(&result, result.code == 0 && result.bytes == 1 && result.fds == 1 && !result.errors_size);
		assert_tap_elsewhere(&result);
		close(result.tap);
	} else {
		assert_refused(&result, code, words);
	}
	assert_unchanged(before);
}

static bool users_may_unshare(void)
{
	if (shell_status("setpriv --reuid 1000 --regid 1000 --clear-groups unshare -Urnm true 2>/dev/null") == 0)
		return true;
	cannot_test("users may make no namespaces here");
	return false;
}

#define MOUNT_ETC "mount -t tmpfs -o mode=755 none /etc && "
#define BR0	  "ip link add br0 type bridge && ip link set br0 up && "

/*
 *	root of a user namespace (alice outside) --- tap or not --- br0 (of that namespace)
 */
static void test_user_namespace(void **state)
{
	static const struct {
		const char *about, *prepare;
		int code;
		const char *words;
	} rows[] = {
		{"a policy of its own", MOUNT_ETC BR0 "echo allow br0 >/etc/tapgate.conf", 0, NULL},
		{"a policy that denies", MOUNT_ETC BR0 "echo deny br0 >/etc/tapgate.conf", 3,
			"uid 0 may not use 'br0': denied"},
		{"no bridge", MOUNT_ETC "echo allow br0 >/etc/tapgate.conf", 1, "there is no bridge 'br0'"},
		{"no policy", MOUNT_ETC BR0 ":", 4, "/etc/tapgate.conf: No such file"},
		{"one for all to write",
			MOUNT_ETC BR0 "echo allow br0 >/etc/tapgate.conf && chmod 666 /etc/tapgate.conf", 4,
			"it can be written by others than root"},
	};
	(void)state;
	if (!users_may_unshare())
		return;
	for (size_t i = 0; i < COUNT(rows); i++)
		check(&(struct call){.about = rows[i].about, .as_caller = enter_namespace, .context = rows[i].prepare},
			rows[i].code, rows[i].words);
	/* The real root's policy is not for a root that an ordinary user made. */
	write_policy("allow br0\n");
	check(&(struct call){.about = "the policy outside", .as_caller = enter_namespace, .context = BR0 ":"}, 4,
		"/etc/tapgate.conf: its owner is not known in this user namespace");
}

/* --- one that root maps, as a container's ------------------------------------------------------------------------- */

enum { OUTSIDE = 100000 }; /* its root */

struct container {
	const char *map, *prepare;
	const char *root; /* where it changes its root directory to, or NULL */
};

static int unshared[2], mapped[2];

/* A process that stays root, and writes the maps when it is told to. */
static void start_mapper(const struct call *call)
{
	const struct container *container = call->context;
	pid_t child = getpid();
	char path[64], byte;

	if (pipe2(unshared, O_CLOEXEC) < 0 || pipe2(mapped, O_CLOEXEC) < 0)
		_exit(122);
	if (fork() != 0) {
		close(unshared[0]);
		close(mapped[1]);
		return;
	}
	if (read(unshared[0], &byte, 1) != 1)
		_exit(122);
	snprintf(path, sizeof(path), "/proc/%d/uid_map", (int)child);
	write_map(path, container->map);
	snprintf(path, sizeof(path), "/proc/%d/gid_map", (int)child);
	write_map(path, container->map);
	(void)!write(mapped[1], "", 1);
	_exit(0);
}

static void enter_container(const struct call *call)
{
	const struct container *container = call->context;
	char byte;

	if (unshare(CLONE_NEWUSER | CLONE_NEWNET | CLONE_NEWNS) < 0 || write(unshared[1], "", 1) != 1 ||
		read(mapped[0], &byte, 1) != 1)
		_exit(123);
	if (system(container->prepare) != 0 || (container->root && (chroot(container->root) < 0 || chdir("/") < 0)))
		_exit(124);
}

#define WHOLE_MAP "0 100000 65536\n"
#define ROOT	  "/run/tmp/root"
/* A root directory of the container's own, with what programs need. */
#define MAKE_ROOT                                                                                                      \
	"mkdir -p " ROOT " && mount -t tmpfs -o mode=755 none " ROOT " && cd " ROOT " && mkdir etc && "                \
	"cp -a /etc/ld* etc && for name in bin lib lib64 usr dev proc run sys; do "                                    \
	"if [ -L /$name ]; then cp -a /$name $name; elif [ -d /$name ]; then "                                         \
	"mkdir $name && mount --rbind /$name $name || exit 1; fi; done && "
#define OF_NOBODY "echo include /etc/d/policy >etc/tapgate.conf && mkdir etc/d && echo allow br0 >etc/d/policy && "

/*
 *	root of a container (100000 outside) --- tap or not --- br0 (of the container)
 *
 * Where the map covers 65534 that is an account of the container's, and nothing of its is believed; the root directory
 * is of 65534 in all that are not changed.
 */
static void test_container(void **state)
{
	static const struct user user = {OUTSIDE, OUTSIDE, NULL, 0};
	static const struct {
		const char *about;
		struct container container;
		int code;
		const char *words;
	} rows[] = {
		{"a root directory of its own", {WHOLE_MAP, MAKE_ROOT BR0 "echo allow br0 >etc/tapgate.conf", ROOT}, 0,
			NULL},
		{"a directory of 65534", {WHOLE_MAP, MAKE_ROOT BR0 OF_NOBODY "chown 65534 etc/d", ROOT}, 4,
			"a directory on the way to it does not belong to root"},
		{"a file of 65534", {WHOLE_MAP, MAKE_ROOT BR0 OF_NOBODY "chown 65534 etc/d/policy", ROOT}, 4,
			"it does not belong to root"},
		{"the root directory outside", {WHOLE_MAP, MOUNT_ETC BR0 "echo allow br0 >/etc/tapgate.conf", NULL}, 4,
			"a directory on the way to it does not belong to root"},
		{"the second line covers it",
			{"0 100000 1000\n60000 160000 10000\n", MOUNT_ETC BR0 "echo allow br0 >/etc/tapgate.conf",
				NULL},
			4, "a directory on the way to it does not belong to root"},
		{"the second line begins with it",
			{"0 100000 1000\n65534 165534 1\n", MOUNT_ETC BR0 "echo allow br0 >/etc/tapgate.conf", NULL}, 4,
			"a directory on the way to it does not belong to root"},
		{"no line covers it",
			{"0 100000 65534\n65535 165535 1\n", MOUNT_ETC BR0 "echo allow br0 >/etc/tapgate.conf", NULL},
			0, NULL},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		check(&(struct call){.about = rows[i].about,
			      .user = &user,
			      .as_root = start_mapper,
			      .as_caller = enter_container,
			      .context = &rows[i].container},
			rows[i].code, rows[i].words);
}

/* --- one that maps nothing ---------------------------------------------------------------------------------------- */

static void become_nobody(const struct call *call)
{
	(void)call;
	if (unshare(CLONE_NEWUSER) < 0)
		_exit(123);
}

/*
 *	alice, in a user namespace without a map --- not --- br0
 *
 * The setuid bit has no effect there: the file belongs to nobody.
 */
static void test_without_a_map(void **state)
{
	static const struct user nobody = {65534, 65534, NULL, 0};
	struct result result;
	char *before;

	(void)state;
	by_setuid_alone();
	if (!users_may_unshare())
		return;
	prepare_br0();
	before = snapshot();
	result = run(&(struct call){.about = "no map", .as_caller = become_nobody});
	result.call.user = &nobody; /* as the helper and the log see it */
	assert_refused(&result, 1, "had no effect; an administrator can run: tapgate check --live");
	assert_unchanged(before);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_user_namespace),
		TEST(test_container),
		TEST(test_without_a_map),
	};

	return RUN_TESTS(tests);
}
