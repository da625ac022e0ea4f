// SPDX-License-Identifier: MIT
/*
 * dnsmasq as a process: where it listens, what it takes along, and why it does not start. Which one is a network's, and
 * how it ends: test_dnsmasq_process.c. What guests get from it: test_dnsmasq_guests.c.
 */
#include "tests/netns/lab.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "dhcp/dhcp.h"
#include "tests/netns/internal.h"

/*
 *	host (127.0.0.53:53 systemd-resolved's, 192.0.2.1:53 somebody's) --- lab, web: two networks --- a LAN
 */
static void test_listens_on_its_bridge_alone(void **state)
{
	(void)state;
	lab_resolver();
	close(lab_tcp("127.0.0.1", true)); /* free */
	command("ip link add lan type bridge && ip address add 192.0.2.1/24 dev lan && ip link set lan up");
	lab_running("lab", MODE_HOST_ONLY, 2);
	lab_running("web", MODE_NAT, 77);
	lab_guest("neighbour", "lan");
	command("ip -n neighbour address add 192.0.2.2/24 dev eth0; ip -n neighbour route add default via 192.0.2.1");
	lab_guest("alpha", "lab"); /* brings the link-local address */
	lab_guest("beta", "web");
	assert_listens("udp 127.0.0.53:53\ntcp 127.0.0.53:53\n"
		       "udp 172.16.2.1:53\ntcp 172.16.2.1:53\nudp [fd00:2::1]:53\ntcp [fd00:2::1]:53\n"
		       "udp [fe80]%lab:53\ntcp [fe80]%lab:53\nudp 0.0.0.0%lab:67\nudp [::]%lab:547\n"
		       "udp 172.16.77.1:53\ntcp 172.16.77.1:53\nudp [fd00:77::1]:53\ntcp [fd00:77::1]:53\n"
		       "udp [fe80]%web:53\ntcp [fe80]%web:53\nudp 0.0.0.0%web:67\nudp [::]%web:547\n"
		       "raw *:58\nraw *:58\n");
	/* No answer to what comes in by another interface, although the address is the host's. */
	lab_resolv_conf("neighbour", "172.16.77.1", "web.internal");
	assert_int_equal(shell_status("ip netns exec neighbour getent ahostsv4 outside.example"), 2);
	lab_resolv_conf("beta", "172.16.77.1", "web.internal");
	command("ip -n beta address add 172.16.77.250/24 dev eth0; ip netns exec beta getent ahostsv4 outside.example "
		">/dev/null");
}

static void hold_much(void)
{
	const struct sigaction ignore = {.sa_handler = SIG_IGN};
	sigset_t all;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	sigaction(SIGHUP, &ignore, NULL);
	sigaction(SIGWINCH, &ignore, NULL);
	must(setenv("LEAK", "yes", 1) == 0 && chdir("/etc") == 0, "chdir");
	for (int fd = 100; fd < 110; fd++)
		must(dup2(open("/etc/passwd", O_RDONLY), fd) == fd, "dup2"); /* NOLINT: left open across exec */
}

/*
 *	test (descriptors, blocked and ignored signals, environment, directory) --- dnsmasq of lab
 */
static void test_takes_nothing_along(void **state)
{
	struct policy_network lab = lab_network("lab", MODE_HOST_ONLY, 2);
	int pid, status;
	pid_t child;

	(void)state;
	command("echo 'no-such-option' >/etc/dnsmasq.conf"); /* which is not dnsmasq's here */
	lab_bridge(&lab);
	child = fork();
	if (child == 0) {
		char why[512];

		hold_much();
		/* Nor does it leave a child behind that nobody waits for. */
		_exit(dnsmasq_start(&lab, why, sizeof(why)) && waitpid(-1, NULL, WNOHANG) < 0 && errno == ECHILD ? 0
														 : 1);
	}
	must(waitpid(child, &status, 0) == child, "waitpid");
	assert_int_equal(status, 0);
	pid = dnsmasq_pid("lab");
	assert_int_equal(dnsmasq_state(&lab), DNSMASQ_RUNNING);
	command("! ls -l /proc/%d/fd | grep -e passwd -e ' 10[0-9] '", pid);
	assert_string_equal(command_line("tr '\\0' ' ' </proc/%d/environ", pid), "LC_ALL=C ");
	assert_string_equal(command_line("readlink /proc/%d/cwd", pid), "/");
	command("grep -q '^SigBlk:\t0*$' /proc/%d/status", pid);
	/* SIGPIPE, its own. The two that the C library keeps for itself (32, 33) are as whoever runs this had them. */
	command("[ $((0x$(sed -n 's/^SigIgn:\t//p' /proc/%d/status) & ~0x180000000)) = 4096 ]", pid);
	command("grep -q '^Uid:\t999\t999\t999\t999$' /proc/%d/status", pid);
	command("grep -q '^Gid:\t65534\t65534\t65534\t65534$' /proc/%d/status", pid);
	command("grep -q '^Groups:[\t ]*$' /proc/%d/status", pid);
	command("grep -q '^CapEff:\t0000000000003400$' /proc/%d/status",
		pid); /* net_bind_service, net_admin, net_raw */
	command("rm /etc/dnsmasq.conf");
	lab.ipv6.given = false;
	lab_start(&lab);
	command("grep -q '^CapEff:\t0000000000001400$' /proc/%d/status", (int)dnsmasq_pid("lab")); /* it pings nobody */
	assert_string_equal(command_line("stat -c '%%U %%a' /run/tapgate"), "root 755");
	assert_string_equal(command_line("stat -c '%%U %%a' /run/tapgate/lab.leases"), "root 644");
}

/*
 *	networks with all that a name can hold --- dnsmasq each
 */
static void test_names(void **state)
{
	static const struct {
		const char *name, *domain;
	} rows[] = {
		{"lab", "lab.internal"},
		{"LAB--2", "lab--2.internal"},
		{"a.b", "a-b.internal"},
		{"...", "network.internal"},
		{".hidden.", "hidden.internal"},
		{"+@_-", "network.internal"},
		{"_a+b@c-", "a-b-c.internal"},
		{"0123456789abcde", "0123456789abcde.internal"},
		{"x.keeper", "x-keeper.internal"},
		{"lo.", "lo.internal"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct policy_network network = lab_running(rows[i].name, MODE_HOST_ONLY, 2);
		char domain[POLICY_DOMAIN_MAX + 1], listens[512];

		dnsmasq_domain(rows[i].name, domain);
		assert_string_equal(domain, rows[i].domain);
		assert_each(rows[i].name);
		snprintf(listens, sizeof(listens),
			"udp 172.16.2.1:53\ntcp 172.16.2.1:53\nudp [fd00:2::1]:53\ntcp [fd00:2::1]:53\n"
			"udp [fe80]%%%s:53\ntcp [fe80]%%%s:53\nudp 0.0.0.0%%%s:67\nudp [::]%%%s:547\nraw *:58\n",
			rows[i].name, rows[i].name, rows[i].name, rows[i].name);
		assert_listens(listens);
		lab_stop(network.name);
		command("ip link del '%s'", rows[i].name);
	}
}

/*
 *	lab --- (what dnsmasq needs is not there) --- no dnsmasq, and a reason
 */
static void test_reasons(void **state)
{
	struct policy_network lab = lab_network("lab", MODE_HOST_ONLY, 2);
	int fd;

	(void)state;
	assert_start_fails(&lab, "there is no interface 'lab'");
	lab_bridge(&lab);
	command("for program in /usr/sbin /usr/bin /usr/local/sbin; do "
		"  [ ! -e $program/dnsmasq ] || mount --bind /dev/null $program/dnsmasq; done");
	assert_start_fails(&lab, "install the package 'dnsmasq-base' (Debian, Ubuntu) or 'dnsmasq'");
	command("umount $(awk '$2 ~ /\\/dnsmasq$/ { print $2 }' /proc/mounts)");
	command("cp /etc/passwd /run/passwd; sed -i /dnsmasq/d /etc/passwd");
	assert_start_fails(&lab, "there is neither a user 'dnsmasq' nor a 'nobody'");
	command("echo 'nobody:x:65534:65534::/:/bin/false' >>/etc/passwd");
	lab_start(&lab);
	command("grep -q '^Uid:\t65534\t' /proc/%d/status", (int)dnsmasq_pid("lab"));
	command("cat /run/passwd >/etc/passwd");
	assert_int_equal(dnsmasq_state(&lab), DNSMASQ_DIFFERENT);
	lab_stop("lab");
	fd = lab_tcp("172.16.2.1", true);
	assert_start_fails(&lab, "failed to create listening socket for 172.16.2.1: Address already in use; "
				 "'ss -lnptu' shows what listens there");
	close(fd);
	command("rm /run/tapgate/lab.leases; mkdir /run/tapgate/lab.leases");
	assert_start_fails(&lab, "cannot open or create lease file /run/tapgate/lab.leases: Is a ");
	command("rmdir /run/tapgate/lab.leases");
	lab.mode = MODE_NAT;
	command("ln -sf /run/nowhere/resolv.conf /etc/resolv.conf");
	assert_start_fails(&lab, "/etc/resolv.conf leads to where nothing is: first start");
	command("rm /etc/resolv.conf");
	lab_start(&lab);
}

/*
 *	lab --- (a program in dnsmasq's place)
 *
 * Everything that it writes is somebody else's text; and, unlike dnsmasq, it does not close what it was left.
 */
static void test_program(void **state)
{
	static const struct {
		const char *script, *why;
	} rows[] = {
		{"exit 5", "it ended with status 5, and did not say why"},
		{"kill -9 $$", "it ended with status 137, and did not say why"},
		{"echo fine; exit 0", "it ended with status 0, and did not say why"},
		{"printf 'first\\n\\ndnsmasq: \\033[2Jbad \\047x\\047\\n\\n' >&2; exit 1", "\\x1b[2Jbad \\x27x\\x27"},
		{"echo 'dnsmasq: failed to create inotify: Too many open files' >&2; exit 5",
			"Too many open files; the host's limit is fs.inotify.max_user_instances"},
		{"{ yes | head -c 100000; printf '\\nlast'; } >&2; exit 1", "last"},
		{"for fd in /proc/self/fd/*; do [ -e $fd ] && echo ${fd##*/}; done | tr '\\n' , >&2; exit 1", "0,1,2,"},
	};
	struct policy_network lab = lab_network("lab", MODE_HOST_ONLY, 2);
	const char *program = command_line("command -v dnsmasq");
	char path[64], text[512];
	int fds[8];

	(void)state;
	lab_bridge(&lab);
	snprintf(path, sizeof(path), "%s", program);
	for (size_t i = 0; i < COUNT(fds); i++)
		fds[i] = open("/etc/passwd", O_RDONLY); /* NOLINT: not closed on exec */
	for (size_t i = 0; i < COUNT(rows); i++) {
		snprintf(text, sizeof(text), "#!/bin/sh\n%s\n", rows[i].script);
		write_file("/run/fake", text, 0755, 0, 0);
		command("mount --bind /run/fake %s", path);
		assert_start_fails(&lab, rows[i].why);
		command("umount %s", path);
	}
	for (size_t i = 0; i < COUNT(fds); i++)
		close(fds[i]);
}

/*
 *	lab --- dnsmasq --- /run/tapgate, which is not as it should be
 */
static void test_directory(void **state)
{
	static const char *const bad[] = {
		"touch /run/tapgate",
		"mkdir -p /run/good; ln -s /run/good /run/tapgate",
		"mkdir -m 775 /run/tapgate",
		"mkdir -m 757 /run/tapgate",
		"mkdir /run/tapgate; chown alice /run/tapgate",
	};
	struct policy_network lab = lab_network("lab", MODE_HOST_ONLY, 2);
	char why[256];

	(void)state;
	lab_bridge(&lab);
	for (size_t i = 0; i < COUNT(bad); i++) {
		command("rm -rf /run/tapgate; %s", bad[i]);
		assert_start_fails(&lab, "expected a directory that only root can write; remove it");
		assert_int_equal(dnsmasq_state(&lab), DNSMASQ_ABSENT);
		assert_each("");
		assert_false(dnsmasq_stop("lab", why, sizeof(why)));
		assert_listens("");
	}
	command("rm -rf /run/tapgate; umask 077; mkdir /run/tapgate");
	lab_start(&lab);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		LAB_TEST(test_listens_on_its_bridge_alone),
		LAB_TEST(test_takes_nothing_along),
		LAB_TEST(test_names),
		LAB_TEST(test_reasons),
		LAB_TEST(test_program),
		LAB_TEST(test_directory),
	};

	return cmocka_run_group_tests(tests, open_lab, close_world);
}
