/*
 * dnsmasq as a process: which one is a network's, after whatever happened to it and to its pid file, and how it ends.
 * How it starts: test_dnsmasq.c.
 */
#include "tests/netns/lab.h"

#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
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
	/* A file that lost its process, and one that lost its file. */
	must(kill(dnsmasq_pid("lab"), SIGKILL) == 0, "kill");
	eventually("grep -q '^State:\tZ' /proc/$(cat /run/tapgate/lab.pid)/status");
	assert_int_equal(dnsmasq_state(&changed), DNSMASQ_ABSENT);
	assert_each("");
	lab_start(&changed);
	command("rm /run/tapgate/lab.pid");
	assert_int_equal(dnsmasq_state(&changed), DNSMASQ_ABSENT);
	lab_start(&changed);
	assert_each("lab");
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

	(void)state;
	lab_start(&lab);
	close(fd);
	/* What it forked outlives SIGKILL, with its listening sockets. */
	fd = connect_to_lab();
	must(kill(dnsmasq_pid("lab"), SIGKILL) == 0, "kill");
	eventually("! kill -0 $(cat /run/tapgate/lab.pid) || "
		   "grep -q '^State:\tZ' /proc/$(cat /run/tapgate/lab.pid)/status");
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

/* A pid file as somebody might find it. */
static void write_pid_file(const char *text)
{
	write_file("/run/tapgate/lab.pid", text, 0644, 0, 0);
}

/*
 *	lab --- (no dnsmasq), a pid file that names somebody else
 */
static void test_stale_pid_file(void **state)
{
	static const char *const garbage[] = {"", "\n", "x\n", "-1\n", "0\n", "1 \n", "01\n", "4194305\n",
		"99999999999999999999\n", "2147483648\n", "1\n2\n"};
	struct policy_network lab = lab_network("lab", MODE_HOST_ONLY, 2),
			      other = lab_running("other", MODE_HOST_ONLY, 3);
	char text[32];
	pid_t child, pids[3];

	(void)state;
	lab_bridge(&lab);
	child = fork();
	if (child == 0) /* not dnsmasq, whatever it says */
		execl("/bin/sh", "dnsmasq", "-c", "sleep 1000; :", "--pid-file=/run/tapgate/lab.pid", (char *)NULL);
	note_child(child);
	pids[0] = child;
	pids[1] = getpid();
	pids[2] = dnsmasq_pid("other"); /* dnsmasq, but of another network */
	for (size_t i = 0; i < COUNT(pids); i++) {
		snprintf(text, sizeof(text), "%d\n", (int)pids[i]);
		write_pid_file(text);
		assert_int_equal(dnsmasq_state(&lab), DNSMASQ_ABSENT);
		assert_int_equal(dnsmasq_pid("lab"), 0);
		assert_each("other");
		lab_stop("lab");
		command("grep -q '^State:\t[SRD]' /proc/%d/status", (int)pids[i]);
		write_pid_file(text);
		lab_start(&lab);
		lab_stop("lab");
		command("grep -q '^State:\t[SRD]' /proc/%d/status", (int)pids[i]);
	}
	for (size_t i = 0; i < COUNT(garbage); i++) {
		write_pid_file(garbage[i]);
		assert_int_equal(dnsmasq_state(&lab), DNSMASQ_ABSENT);
		lab_stop("lab");
	}
	command("mkfifo /run/tapgate/lab.pid; touch /run/tapgate/.pid /run/tapgate/a,b.pid "
		"/run/tapgate/0123456789abcdef.pid");
	assert_int_equal(dnsmasq_state(&lab), DNSMASQ_ABSENT);
	assert_each("other");
	lab_start(&lab);
	assert_each("lab other");
	assert_int_equal(dnsmasq_state(&other), DNSMASQ_RUNNING);
}

/*
 *	lab --- dnsmasq, and a process of alice's that is called so and has its words
 */
static void test_of_another_user(void **state)
{
	struct policy_network lab = lab_network("lab", MODE_HOST_ONLY, 2);
	char text[32];
	pid_t child;

	(void)state;
	command("cp /bin/sh /run/dnsmasq");
	lab_bridge(&lab);
	child = fork();
	if (child == 0) {
		become(&alice);
		execl("/run/dnsmasq", "dnsmasq", "-c", "while :; do sleep 1; done", "--pid-file=/run/tapgate/lab.pid",
			(char *)NULL);
	}
	note_child(child);
	eventually("readlink /proc/%d/exe | grep -qx /run/dnsmasq", (int)child);
	lab_start(&lab);
	assert_int_not_equal(dnsmasq_pid("lab"), child);
	lab_stop("lab");
	snprintf(text, sizeof(text), "%d\n", (int)child);
	write_pid_file(text);
	assert_int_equal(dnsmasq_state(&lab), DNSMASQ_ABSENT);
	lab_stop("lab");
	command("grep -q '^State:\t[SRD]' /proc/%d/status", (int)child);
	command("rm /run/dnsmasq");
}

/*
 *	lab, in another network namespace with the same /run --- dnsmasq
 *	lab, here --- (none)
 */
static void test_other_namespace(void **state)
{
	struct policy_network lab = lab_network("lab", MODE_HOST_ONLY, 2);
	int status, other;
	pid_t child = fork();

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
	assert_start_fails(&lab, "a dnsmasq of another network namespace uses /run/tapgate/lab.pid");
	{
		char why[256];

		assert_true(dnsmasq_stop("lab", why, sizeof(why)));
	}
	assert_int_equal(atoi(first_line("/run/tapgate/lab.pid")), other);
	command("grep -q '^State:\tS' /proc/%d/status", other);
	must(kill(other, SIGKILL) == 0, "kill");
	eventually("grep -q '^State:\tZ' /proc/%d/status", other);
	lab_start(&lab);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		LAB_TEST(test_difference),
		LAB_TEST(test_ends_for_good),
		LAB_TEST(test_stale_pid_file),
		LAB_TEST(test_of_another_user),
		LAB_TEST(test_other_namespace),
	};

	return cmocka_run_group_tests(tests, open_lab, close_world);
}
