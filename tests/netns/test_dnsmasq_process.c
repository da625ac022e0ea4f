// SPDX-License-Identifier: MIT
/*
 * dnsmasq as a process: who keeps it, what is found of it after whatever happened to either and to their files, and how
 * it ends. How it starts: test_dnsmasq.c.
 */
#include "tests/netns/lab.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/netns/internal.h"

/*
 *	lab --- dnsmasq; what it should be changes
 */
static void test_difference(void **state)
{
	struct policy_network lab = lab_running("lab", MODE_HOST_ONLY, 2), changed = lab;
	pid_t first = dnsmasq_pid("lab");

	(void)state;
	changed.dhcp_last--;
	assert_int_equal(dnsmasq_state(&changed), DNSMASQ_DIFFERENT);
	changed = lab;
	changed.mode = MODE_NAT;
	assert_int_equal(dnsmasq_state(&changed), DNSMASQ_DIFFERENT);
	lab_start(&changed);
	assert_int_not_equal(dnsmasq_pid("lab"), first);
	assert_int_equal(kill(first, 0) < 0 || shell_status("grep -q '^State:\tZ' /proc/%d/status", first) == 0, 1);
	assert_int_equal(dnsmasq_state(&lab), DNSMASQ_DIFFERENT);
	/* Another bridge of the same name. */
	command("ip link del lab");
	assert_int_equal(dnsmasq_state(&changed), DNSMASQ_DIFFERENT);
	lab_bridge(&lab);
	assert_int_equal(dnsmasq_state(&changed), DNSMASQ_DIFFERENT);
	lab_start(&changed);
	command("rm /run/tapgate/lab.pid");
	assert_int_equal(dnsmasq_state(&changed), DNSMASQ_DIFFERENT);
	assert_each("lab");
	lab_start(&changed);
}

/* The keeper of a network's dnsmasq: its parent. */
static pid_t keeper_of(const char *name)
{
	return atoi(command_line("awk '/^PPid:/ { print $2 }' /proc/%d/status", (int)dnsmasq_pid(name)));
}

/* Nobody waits for orphans in this world. */
static void assert_gone(pid_t pid)
{
	eventually("! kill -0 %d || grep -q '^State:\tZ' /proc/%d/status", (int)pid, (int)pid);
}

static void await_running(const struct policy_network *network, pid_t other)
{
	const struct timespec pause = {.tv_nsec = 10000000};
	time_t deadline = time(NULL) + 15;

	while ((dnsmasq_state(network) != DNSMASQ_RUNNING || dnsmasq_pid(network->name) == other) &&
		time(NULL) < deadline)
		nanosleep(&pause, NULL);
	assert_int_equal(dnsmasq_state(network), DNSMASQ_RUNNING);
	assert_int_not_equal(dnsmasq_pid(network->name), other);
}

static const char lab_listens[] =
	"udp 172.16.2.1:53\ntcp 172.16.2.1:53\nudp [fd00:2::1]:53\ntcp [fd00:2::1]:53\n"
	"udp [fe80]%lab:53\ntcp [fe80]%lab:53\nudp 0.0.0.0%lab:67\nudp [::]%lab:547\nraw *:58\n";

/*
 *	lab --- dnsmasq, which dies; and which cannot be started for a while
 */
static void test_kept(void **state)
{
	struct policy_network lab = lab_running("lab", MODE_HOST_ONLY, 2);
	pid_t first = dnsmasq_pid("lab"), keeper = keeper_of("lab");
	char path[64], why[256];

	(void)state;
	must(kill(first, SIGKILL) == 0, "kill");
	await_running(&lab, first);
	assert_int_equal(keeper_of("lab"), keeper);
	assert_listens(lab_listens);
	first = dnsmasq_pid("lab");
	snprintf(path, sizeof(path), "%s", command_line("command -v dnsmasq"));
	command("mount --bind /dev/null %s", path);
	must(kill(first, SIGKILL) == 0, "kill");
	eventually("[ $(cat /run/tapgate/lab.keeper) = 0 ]");
	assert_int_equal(dnsmasq_state(&lab), DNSMASQ_ABSENT);
	assert_int_equal(dnsmasq_pid("lab"), 0);
	assert_each("lab");
	command("umount %s", path);
	await_running(&lab, first);
	/* Nothing is done where it runs. */
	first = dnsmasq_pid("lab");
	assert_true(dnsmasq_keep(&lab, why, sizeof(why)));
	assert_int_equal(dnsmasq_pid("lab"), first);
	/* Told to end while dnsmasq cannot be started, and while it is stopped. */
	must(kill(keeper, SIGSTOP) == 0 && kill(first, SIGSTOP) == 0, "kill");
	lab_stop("lab");
	assert_listens("");
	assert_gone(keeper);
	assert_gone(first);
}

/*
 *	lab --- (its keeper killed) dnsmasq
 *	web --- (its files removed) dnsmasq
 */
static void test_strays(void **state)
{
	struct policy_network lab = lab_running("lab", MODE_HOST_ONLY, 2);
	pid_t stray = dnsmasq_pid("lab"), keeper = keeper_of("lab"), web;
	char why[512] = "";

	(void)state;
	must(kill(keeper, SIGKILL) == 0, "kill");
	assert_gone(keeper);
	assert_int_equal(dnsmasq_state(&lab), DNSMASQ_ABSENT);
	command("kill -0 %d", (int)stray);
	if (!dnsmasq_keep(&lab, why, sizeof(why)))
		fail_msg("%s", why);
	assert_int_equal(dnsmasq_state(&lab), DNSMASQ_RUNNING);
	assert_listens(lab_listens);
	/* The same to whoever only stops it. */
	must(kill(keeper_of("lab"), SIGKILL) == 0, "kill");
	lab_stop("lab");
	assert_listens("");
	lab_start(&lab);
	stray = dnsmasq_pid("lab");
	keeper = keeper_of("lab");
	lab_running("web", MODE_NAT, 77);
	web = dnsmasq_pid("web");
	command("rm -r /run/tapgate/lab.*");
	assert_each("web");
	assert_true(dnsmasq_end_strays("other"));
	command("kill -0 %d && kill -0 %d", (int)stray, (int)keeper);
	assert_true(dnsmasq_end_strays(NULL));
	assert_gone(keeper);
	assert_gone(stray);
	assert_int_equal(dnsmasq_pid("web"), web);
	command("kill -0 %d", (int)web);
	/* Other files of the names stand by now. */
	command("rm -r /run/tapgate/web.*; : >/run/tapgate/web.keeper");
	assert_true(dnsmasq_end_strays("web"));
	assert_listens("");
}

/*
 *	lab --- its keeper, whose file is removed while dnsmasq cannot be started: nobody would find it any more
 */
static void test_lost_keeper(void **state)
{
	struct policy_network lab = lab_running("lab", MODE_HOST_ONLY, 2);
	pid_t keeper = keeper_of("lab");
	char path[64];

	(void)state;
	(void)lab;
	snprintf(path, sizeof(path), "%s", command_line("command -v dnsmasq"));
	command("mount --bind /dev/null %s", path);
	must(kill(dnsmasq_pid("lab"), SIGKILL) == 0, "kill");
	eventually("[ $(cat /run/tapgate/lab.keeper) = 0 ]");
	command("rm /run/tapgate/lab.keeper");
	assert_gone(keeper);
	command("umount %s", path);
}

/* A connection for which the dnsmasq of 'lab' has forked. */
static int connect_to_lab(void)
{
	int fd = lab_tcp("172.16.2.1", false), pid = dnsmasq_pid("lab");

	eventually("test -n \"$(cat /proc/%d/task/%d/children)\"", pid, pid);
	return fd;
}

/*
 *	lab --- dnsmasq --- a TCP connection, for which it has forked
 */
static void test_ends_for_good(void **state)
{
	struct policy_network lab = lab_running("lab", MODE_HOST_ONLY, 2);
	int fd = connect_to_lab();
	pid_t first;

	(void)state;
	lab_start(&lab);
	close(fd);
	/* What it forked outlives SIGKILL, with its listening sockets. */
	fd = connect_to_lab();
	first = dnsmasq_pid("lab");
	must(kill(first, SIGKILL) == 0, "kill");
	await_running(&lab, first);
	close(fd);
	fd = connect_to_lab();
	first = dnsmasq_pid("lab");
	must(kill(keeper_of("lab"), SIGKILL) == 0 && kill(first, SIGKILL) == 0, "kill");
	lab_start(&lab);
	/* It ends even when it cannot hear SIGTERM; its leases stay, the directory too. */
	must(kill(dnsmasq_pid("lab"), SIGSTOP) == 0, "kill");
	lab_stop("lab");
	lab_stop("lab");
	lab_stop("never");
	close(fd);
	assert_listens("");
	command("test -e /run/tapgate/lab.leases");
	command("rm -r /run/tapgate");
	lab_stop("lab");
}

/*
 *	lab --- dnsmasq --- something that left its process group, and that no signal to that reaches
 */
static void test_left_behind(void **state)
{
	struct policy_network lab;
	char path[64];
	pid_t keeper;

	(void)state;
	snprintf(path, sizeof(path), "%s", command_line("command -v dnsmasq"));
	command("cp %s /run/dnsmasq; printf '#!/bin/sh\nsetsid sleep 1000 2>/dev/null &\nexec /run/dnsmasq \"$@\"\n' "
		">/run/starts && chmod 755 /run/starts && mount --bind /run/starts %s",
		path, path);
	lab = lab_running("lab", MODE_HOST_ONLY, 2);
	keeper = keeper_of("lab");
	must(kill(keeper, SIGTERM) == 0, "kill");
	assert_gone(keeper);
	command("! grep -qx 0 /run/tapgate/lab.keeper");
	/* What listened is gone, and there is another one. */
	command("umount %s", path);
	lab_start(&lab);
	command("pkill -x sleep; rm /run/dnsmasq /run/starts");
}

/*
 *	lab --- dnsmasq, which has something else open in place of its leases, that nobody can read to the end
 */
static void test_leases_of_another_kind(void **state)
{
	struct policy_network lab = lab_running("lab", MODE_HOST_ONLY, 2);
	pid_t first = dnsmasq_pid("lab"), child;
	char text[16];

	(void)state;
	command("rm /run/tapgate/lab.leases; mkfifo /run/tapgate/lab.leases");
	child = fork();
	if (child == 0) {
		if (open("/run/tapgate/lab.leases", O_RDWR) < 0)
			_exit(1);
		for (;;)
			pause();
	}
	note_child(child);
	eventually("ls -l /proc/%d/fd | grep lab.leases", (int)child);
	command("rm /run/tapgate/lab.leases");
	snprintf(text, sizeof(text), "%d\n", (int)child);
	write_file("/run/tapgate/lab.keeper", text, 0600, 0, 0);
	alarm(30);
	lab_start(&lab);
	alarm(0);
	assert_int_not_equal(dnsmasq_pid("lab"), first);
	command("test -f /run/tapgate/lab.leases; kill -0 %d", (int)child);
}

/*
 *	lab --- (no dnsmasq), files that name somebody else
 */
static void test_stale_files(void **state)
{
	static const char *const contents[] = {"", "\n", "x\n", "-1\n", "0\n", "01\n", "4194305\n", "1\n"};
	struct policy_network lab = lab_network("lab", MODE_HOST_ONLY, 2);
	pid_t child;
	int others;

	(void)state;
	lab_bridge(&lab);
	command("mkdir /run/tapgate; cp /bin/sh /run/dnsmasq; : >/run/tapgate/lab.leases");
	child = fork();
	if (child == 0) { /* called so, with its words, and no file of it open */
		become(&alice);
		execl("/run/dnsmasq", "dnsmasq", "-c", "while :; do sleep 1; done", "--pid-file=/run/tapgate/lab.pid",
			(char *)NULL);
	}
	note_child(child);
	eventually("readlink /proc/%d/exe | grep -qx /run/dnsmasq", (int)child);
	for (size_t i = 0; i < COUNT(contents); i++) {
		write_file("/run/tapgate/lab.keeper", contents[i], 0600, 0, 0);
		write_file("/run/tapgate/lab.pid", contents[i], 0644, 0, 0);
		assert_int_equal(dnsmasq_state(&lab), DNSMASQ_ABSENT);
		assert_int_equal(dnsmasq_pid("lab"), 0);
		lab_stop("lab");
	}
	for (size_t i = 0; i < COUNT(contents); i++) {
		write_file("/run/tapgate/lab.keeper", contents[i], 0600, 0, 0);
		lab_start(&lab);
		command("echo 1 >/run/tapgate/lab.pid");
		assert_int_equal(dnsmasq_state(&lab), DNSMASQ_DIFFERENT);
		lab_stop("lab");
	}
	command("mkfifo /run/tapgate/lab.keeper; touch /run/tapgate/.keeper /run/tapgate/a,b.keeper "
		"/run/tapgate/0123456789abcdef.keeper");
	assert_int_equal(dnsmasq_state(&lab), DNSMASQ_ABSENT);
	lab_stop("lab");
	assert_each("");
	/* Locked by somebody who keeps nothing. */
	others = open("/run/tapgate/lab.keeper", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	must(others >= 0 && flock(others, LOCK_EX) == 0, "flock");
	lab_start(&lab);
	close(others);
	assert_true(dnsmasq_end_strays(NULL));
	command("grep -q '^State:\t[SRD]' /proc/%d/status; rm /run/dnsmasq", (int)child);
}

/*
 *	lab, in another network namespace with the same /run --- dnsmasq
 *	lab, here --- (none)
 */
static void test_other_namespace(void **state)
{
	struct policy_network lab = lab_network("lab", MODE_HOST_ONLY, 2);
	int status, other;
	pid_t keeper, child = fork();

	(void)state;
	if (child == 0) {
		char why[512];

		if (unshare(CLONE_NEWNET) != 0)
			_exit(2);
		lab_bridge(&lab);
		_exit(dnsmasq_start(&lab, why, sizeof(why)) ? 0 : 1);
	}
	must(waitpid(child, &status, 0) == child, "waitpid");
	assert_int_equal(status, 0);
	lab_bridge(&lab);
	other = atoi(first_line("/run/tapgate/lab.pid"));
	assert_int_equal(dnsmasq_state(&lab), DNSMASQ_ABSENT);
	assert_each("");
	assert_start_fails(&lab, "a dnsmasq of another network namespace uses /run/tapgate/lab.keeper");
	{
		char why[256];

		assert_true(dnsmasq_stop("lab", why, sizeof(why)));
	}
	assert_int_equal(atoi(first_line("/run/tapgate/lab.pid")), other);
	command("grep -q '^State:\tS' /proc/%d/status", other);
	assert_true(dnsmasq_end_strays(NULL));
	command("kill -0 %d", other);
	keeper = atoi(command_line("awk '/^PPid:/ { print $2 }' /proc/%d/status", other));
	must(kill(keeper, SIGTERM) == 0, "kill");
	assert_gone(keeper);
	assert_gone(other);
	lab_start(&lab);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		LAB_TEST(test_difference),
		LAB_TEST(test_ends_for_good),
		LAB_TEST(test_kept),
		LAB_TEST(test_strays),
		LAB_TEST(test_lost_keeper),
		LAB_TEST(test_left_behind),
		LAB_TEST(test_leases_of_another_kind),
		LAB_TEST(test_stale_files),
		LAB_TEST(test_other_namespace),
	};

	return cmocka_run_group_tests(tests, open_lab, close_world);
}
