// SPDX-License-Identifier: MIT
/* Makes the bridges and interfaces that tests play on: see lab.h. */
#include "tests/netns/lab.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "tests/netns/internal.h"

#define ADDRESS(text) ((const struct sockaddr *)&(struct sockaddr_in){AF_INET, htons(53), {inet_addr(text)}, {0}})

enum { PATIENCE = 15 }; /* seconds */

int open_lab(void **state)
{
	int failed = open_world(state);

	if (failed)
		return failed;
	unlink("/dev/log");		/* what dnsmasq logs, nobody reads here */
	command(": >/etc/resolv.conf"); /* there for `ip netns exec` to put another over it */
	/* Where this test, as `tapgate`, finds the keeper: beside its own directory. */
	command("exe=$(readlink /proc/$PPID/exe); mkdir -p ${exe%%/*/*}/libexec; "
		"ln -sfn ${HELPER%%/*}/tapgate-dhcp ${exe%%/*/*}/libexec/");
	return 0;
}

static void stop_dnsmasq(void *context, const char *name)
{
	char why[256];

	(void)context;
	if (!dnsmasq_stop(name, why, sizeof(why)))
		print_error("%s\n", why);
}

int clean_lab(void **state)
{
	dnsmasq_each(stop_dnsmasq, NULL);
	assert_true(dnsmasq_end_strays(NULL));
	command("for guest in $(ip netns list | cut -d ' ' -f 1); do "
		"  ip netns pids $guest | xargs -r kill -9; ip netns del $guest; done; "
		"[ ! -e /run/resolver.pid ] || kill $(cat /run/resolver.pid); rm -rf /run/resolver.pid /etc/netns; "
		": >/etc/resolv.conf; [ -L /run/tapgate ] && rm /run/tapgate || rm -rf /run/tapgate");
	return clean_world(state);
}

struct policy_network lab_network(const char *name, enum policy_mode mode, unsigned int n)
{
	struct policy_network network = {.mode = mode, .options.given = OPTION_DHCP};
	char text[INET6_ADDRSTRLEN];

	snprintf(network.name, sizeof(network.name), "%s", name);
	network.ipv4 = (struct policy_subnet){.given = true, .address = {172, 16, (unsigned char)n, 1}, .prefix = 24};
	network.dhcp_first = 0xac100002 | n << 8;
	network.dhcp_last = 0xac100064 | n << 8;
	network.ipv6 = (struct policy_subnet){.given = true, .prefix = 64};
	snprintf(text, sizeof(text), "fd00:%u::1", n);
	assert_int_equal(inet_pton(AF_INET6, text, network.ipv6.address), 1);
	return network;
}

void lab_bridge(const struct policy_network *network)
{
	const char *name = network->name;
	char ipv4[INET_ADDRSTRLEN], ipv6[INET6_ADDRSTRLEN];

	inet_ntop(AF_INET, network->ipv4.address, ipv4, sizeof(ipv4));
	inet_ntop(AF_INET6, network->ipv6.address, ipv6, sizeof(ipv6));
	command("ip link add name '%s' type bridge forward_delay 0 && "
		"for key in accept_dad accept_ra; do echo 0 >'/proc/sys/net/ipv6/conf/%s/'$key; done && "
		"ip address add %s/%u brd + dev '%s'",
		name, name, ipv4, network->ipv4.prefix, name);
	if (network->ipv6.given)
		command("ip address add %s/%u dev '%s' nodad", ipv6, network->ipv6.prefix, name);
	command("ip link set dev '%s' up", name);
}

void lab_start(const struct policy_network *network)
{
	char why[512] = "";

	if (!dnsmasq_start(network, why, sizeof(why)))
		fail_msg("'%s': %s", network->name, why);
	assert_string_equal(why, "");
	assert_int_equal(dnsmasq_state(network), DNSMASQ_RUNNING);
}

void lab_guest(const char *guest, const char *bridge)
{
	command("ip netns add %s && ip link add %s type veth peer name eth0 netns %s && ip link set %s master %s up",
		guest, guest, guest, guest, bridge);
	command("ip netns exec %s sh -c 'echo 0 >/proc/sys/net/ipv6/conf/eth0/accept_dad; "
		"ip link set lo up; ip link set eth0 up'",
		guest);
}

/* What dhcpcd learns lies in $TMPDIR/GUEST.env: the environment of its hook, time after time. */
void lab_dhcp(const char *guest, const char *host_name)
{
	static const char words[] =
		"nodelay\nnoarp\nnoipv4ll\nduid\nslaac hwaddr\nwaitip 4\nwaitip 6\nia_na 1\n"
		"option domain_name_servers, domain_name, routers, interface_mtu, broadcast_address\n"
		"option dhcp6_name_servers, dhcp6_domain_search\n";
	char path[256];

	snprintf(path, sizeof(path), "%s/dhcpcd.conf", getenv("TMPDIR"));
	write_file(path, words, 0644, 0, 0);
	command("hook=$TMPDIR/%s.hook; printf '#!/bin/sh\\nenv >>%%s\\n' $TMPDIR/%s.env >$hook; chmod 755 $hook", guest,
		guest);
	/* Its own files are the guest's alone: `ip netns exec` makes a mount namespace. */
	command("ip netns exec %s sh -c 'mkdir -p /run/dhcpcd; mount -t tmpfs tapgate-world /run/dhcpcd; "
		"mount -t tmpfs tapgate-world /var/lib; mkdir -p /var/lib/dhcpcd /var/lib/dhcpcd5; "
		"exec dhcpcd -q -f $TMPDIR/dhcpcd.conf -c $TMPDIR/%s.hook -h %s -t %d eth0' >$TMPDIR/%s.log 2>&1 || "
		"{ cat $TMPDIR/%s.log; false; }",
		guest, guest, host_name, PATIENCE, guest, guest);
}

void lab_resolv_conf(const char *guest, const char *server, const char *domain)
{
	char path[256], text[256];

	command("mkdir -p /etc/netns/%s", guest);
	snprintf(path, sizeof(path), "/etc/netns/%s/resolv.conf", guest);
	snprintf(text, sizeof(text), "nameserver %s\nsearch %s\noptions timeout:1 attempts:1\n", server, domain);
	write_file(path, text, 0644, 0, 0);
}

void lab_resolver(void)
{
	command("dnsmasq --conf-file=/dev/null --user=dnsmasq --pid-file=/run/resolver.pid "
		"--listen-address=127.0.0.53 --bind-interfaces --no-resolv --no-hosts "
		"--address=/outside.example/192.0.2.9 --address=/lab.internal/192.0.2.10 --address=/bare/192.0.2.11 && "
		"echo nameserver 127.0.0.53 >/etc/resolv.conf");
}

void eventually(const char *format, ...)
{
	const struct timespec pause = {.tv_nsec = 20000000};
	char line[1024];
	va_list args;
	time_t deadline = time(NULL) + PATIENCE;

	va_start(args, format);
	assert_true(vsnprintf(line, sizeof(line), format, args) < (int)sizeof(line));
	va_end(args);
	while (shell_status("{ %s; } >$TMPDIR/said 2>&1", line) != 0) {
		if (time(NULL) > deadline) {
			command("cat $TMPDIR/said");
			fail_msg("not within %d s: %s", PATIENCE, line);
		}
		nanosleep(&pause, NULL);
	}
}

/* Take a name out of the list that is left. */
static void cross_out(void *context, const char *name)
{
	char *left = context, padded[NAME_MAX_BYTES + 3], *at;

	snprintf(padded, sizeof(padded), " %s ", name);
	at = strstr(left, padded);
	if (!at)
		fail_msg("runs, and should not: '%s'", name);
	else
		memmove(at + 1, at + strlen(padded), strlen(at + strlen(padded)) + 1);
}

void assert_each(const char *names)
{
	char left[512];

	snprintf(left, sizeof(left), " %s ", names);
	dnsmasq_each(cross_out, left);
	if (strspn(left, " ") != strlen(left))
		fail_msg("should run, and does not:%s", left);
}

void assert_start_fails(const struct policy_network *network, const char *words)
{
	char why[512] = "";

	assert_false(dnsmasq_start(network, why, sizeof(why)));
	if (!strstr(why, words))
		fail_msg("the reason is '%s', expected in it '%s'", why, words);
}

struct policy_network lab_running(const char *name, enum policy_mode mode, unsigned int n)
{
	struct policy_network network = lab_network(name, mode, n);

	lab_bridge(&network);
	lab_start(&network);
	return network;
}

void lab_stop(const char *name)
{
	char why[256] = "unset";

	if (!dnsmasq_stop(name, why, sizeof(why)))
		fail_msg("'%s': %s", name, why);
	assert_string_equal(why, "");
	assert_int_equal(dnsmasq_pid(name), 0);
	assert_int_equal(shell_status("test -e '/run/tapgate/%s.pid'", name), 1);
}

int lab_tcp(const char *address, bool listening)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;
	const socklen_t size = sizeof(struct sockaddr_in);

	/* Over what is left of the connections of earlier tests. */
	must(fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == 0 &&
			(listening ? bind(fd, ADDRESS(address), size) == 0 && listen(fd, 1) == 0
				   : connect(fd, ADDRESS(address), size) == 0),
		address);
	return fd;
}

void assert_listens(const char *expected)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/expected", getenv("TMPDIR"));
	write_file(path, expected, 0644, 0, 0);
	eventually("{ ss -Hlntu; ss -Hlnw | sed 's/^/raw /'; } | awk '{ print $1, $5 }' | "
		   "sed 's/fe80::[0-9a-f:]*/fe80/' | sort >$TMPDIR/found; "
		   "sort $TMPDIR/expected | diff - $TMPDIR/found");
}
