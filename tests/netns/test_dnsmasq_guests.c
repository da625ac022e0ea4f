// SPDX-License-Identifier: MIT
/*
 * dnsmasq, as guests see it: addresses, routes and names, and what a guest must not have.
 */
#include "tests/netns/lab.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Whether a guest finds an address for a name, of one family: "ahostsv4" or "ahostsv6". */
static bool finds(const char *guest, const char *family, const char *name)
{
	return shell_status("ip netns exec %s getent %s %s >/dev/null", guest, family, name) == 0;
}

static void assert_finds(const char *guest, const char *name, const char *address)
{
	const char *family = strchr(address, ':') ? "ahostsv6" : "ahostsv4";
	const char *found = command_line("ip netns exec %s getent %s %s | cut -d ' ' -f 1", guest, family, name);

	if (strcmp(found, address) != 0)
		fail_msg("%s finds '%s' for %s, expected %s", guest, found, name, address);
}

/* A guest's address that begins so. */
static void address_of(const char *guest, const char *begin, char address[static 64])
{
	eventually("ip -n %s -o address show dev eth0 | grep -q ' %s'", guest, begin);
	snprintf(address, 64, "%s",
		command_line("ip -n %s -o address show dev eth0 | grep -o ' %s[^/ ]*' | tr -d ' ' | cut -d / -f 1",
			guest, begin));
}

/* What the guest was told, the last time. */
static const char *told(const char *guest, const char *what)
{
	return command_line("grep '^%s=' $TMPDIR/%s.env | tail -n 1 | cut -d = -f 2-", what, guest);
}

/* That alpha and beta have addresses of all kinds, and each other's names. */
static void check_addresses_and_names(void)
{
	char ipv4[64], ipv6[64], slaac[64];

	lab_guest("alpha", "lab");
	lab_guest("beta", "lab");
	lab_dhcp("alpha", "alpha");
	lab_dhcp("beta", "beta");
	address_of("beta", "172.16.2.", ipv4);
	assert_true(atoi(ipv4 + strlen("172.16.2.")) >= 2 && atoi(ipv4 + strlen("172.16.2.")) <= 100);
	address_of("beta", "fd00:2::1[0-9a-f][0-9a-f][0-9a-f]/128", ipv6); /* of ::1000-::1fff */
	address_of("beta", "fd00:2::[0-9a-f]*:[0-9a-f]*ff:fe", slaac);
	assert_string_equal(told("beta", "new_domain_name"), "lab.internal");
	assert_string_equal(told("beta", "new_domain_name_servers"), "172.16.2.1");
	assert_string_equal(told("beta", "new_dhcp6_domain_search"), "lab.internal");
	lab_resolv_conf("alpha", "172.16.2.1", "lab.internal");
	assert_finds("alpha", "beta", ipv4);
	assert_finds("alpha", "beta.", ipv4); /* bare: the resolver adds nothing */
	assert_finds("alpha", "beta.lab.internal", ipv4);
	/* Names are those of IPv4 leases alone. */
	command("! ip netns exec alpha getent ahostsv6 beta.lab.internal | grep -q -F -e %s -e %s", ipv6, slaac);
	assert_false(finds("alpha", "ahostsv4", "gamma"));
	lab_resolv_conf("alpha", "fd00:2::1", "lab.internal");
	assert_finds("alpha", "beta", ipv4);
}

/*
 *	alpha, beta --- lab, host-only --- host
 *
 * Addresses and names, but no way out: no router, no name from outside, although the host has a name server.
 */
static void test_host_only(void **state)
{
	struct policy_network lab = lab_network("lab", MODE_HOST_ONLY, 2);

	(void)state;
	if (!have_program("dhcpcd"))
		return;
	lab_bridge(&lab);
	lab_resolver();
	lab_start(&lab);
	check_addresses_and_names();
	assert_string_equal(told("beta", "nd1_lifetime"), "0");
	assert_string_equal(told("beta", "new_routers"), "");
	assert_string_equal(command_line("ip -n beta route show default"), "");
	assert_string_equal(command_line("ip -n beta -6 route show default"), "");
	assert_false(finds("alpha", "ahostsv4", "outside.example"));
	command("getent ahostsv4 outside.example >/dev/null"); /* the host itself finds it */
}

/*
 *	alpha, beta --- web, nat --- host (a name server on 127.0.0.53, as systemd-resolved)
 */
static void test_nat(void **state)
{
	struct policy_network lab = lab_network("lab", MODE_NAT, 2);

	(void)state;
	if (!have_program("dhcpcd"))
		return;
	lab.options.given |= OPTION_MTU;
	lab.options.mtu = 1400;
	lab_bridge(&lab);
	command("ip link set lab mtu 1400");
	lab_resolver();
	lab_start(&lab);
	check_addresses_and_names();
	assert_string_equal(told("beta", "nd1_lifetime"), "1800");
	assert_string_equal(told("beta", "nd1_mtu"), "1400");
	assert_string_equal(told("beta", "new_routers"), "172.16.2.1");
	assert_string_equal(told("beta", "new_interface_mtu"), "1400");
	assert_string_equal(
		command_line("ip -n beta route show default | cut -d ' ' -f 1-3"), "default via 172.16.2.1");
	eventually("ip -n beta -6 route show default | grep -q '^default via fe80::'");
	assert_finds("alpha", "outside.example", "192.0.2.9");
	assert_finds("alpha", "bare.", "192.0.2.11"); /* as the host finds it */
	/* Never asked outside: names of the network's domain. */
	assert_false(finds("alpha", "ahostsv4", "gamma.lab.internal"));
}

/*
 *	alpha --- lab (host-only or nat) --- host; alpha's kernel does what router advertisements say, by itself
 */
static void test_router_advertisements(void **state)
{
	static const enum policy_mode modes[] = {MODE_HOST_ONLY, MODE_NAT};

	for (size_t i = 0; i < COUNT(modes); i++) {
		struct policy_network lab = lab_network("lab", modes[i], 2);

		lab_bridge(&lab);
		lab_start(&lab);
		lab_guest("alpha", "lab");
		eventually("ip -n alpha -o address show dev eth0 | grep -q ' fd00:2::'");
		assert_int_equal(
			shell_status("ip -n alpha -6 route show default | grep -q ."), modes[i] == MODE_NAT ? 0 : 1);
		clean_lab(state);
	}
}

/*
 *	mallory --- lab, nat --- host
 *
 * Names that programs trust by themselves stay free, however they are spelled; names of other domains are cut.
 */
static void test_hostile_names(void **state)
{
	static const struct {
		const char *given, *bare; /* bare: as what it is found; NULL for not at all */
	} rows[] = {
		{"wpad", NULL},
		{"WPAD", NULL},
		{"wpad.lab.internal", NULL},
		{"wpad.evil.example", NULL},
		{"isatap", NULL},
		{"www.bank.example", "www"},
		{"wpadding", "wpadding"},
	};
	struct policy_network lab = lab_network("lab", MODE_NAT, 2);

	(void)state;
	if (!have_program("dhcpcd"))
		return;
	lab_bridge(&lab);
	lab_start(&lab);
	for (size_t i = 0; i < COUNT(rows); i++) {
		char ipv4[64], full[64], *dot;

		lab_guest("mallory", "lab");
		lab_resolv_conf("mallory", "172.16.2.1", "lab.internal");
		lab_dhcp("mallory", rows[i].given);
		address_of("mallory", "172.16.2.", ipv4);
		address_of("mallory", "fd00:2::1[0-9a-f][0-9a-f][0-9a-f]/128", full);
		snprintf(full, sizeof(full), "%s", rows[i].given);
		dot = strchr(full, '.');
		assert_false(dot && finds("mallory", "ahosts", rows[i].given));
		if (dot)
			*dot = '\0';
		strncat(full, ".lab.internal", sizeof(full) - strlen(full) - 1);
		if (rows[i].bare) {
			assert_finds("mallory", rows[i].bare, ipv4);
			assert_finds("mallory", full, ipv4);
		} else {
			assert_int_equal(shell_status("grep -i ' %.4s' /run/tapgate/lab.leases", rows[i].given), 1);
			assert_false(finds("mallory", "ahosts", full));
		}
		command("ip netns pids mallory | xargs -r kill -9; ip link del mallory; ip netns del mallory; "
			"rm -rf $TMPDIR/mallory*");
	}
}

/*
 *	alpha --- lab, host-only; IPv6 subnets of all sizes
 *
 * An address by DHCPv6 that is the subnet's and not the host's, wherever there is one left.
 */
static void test_ipv6_subnets(void **state)
{
	static const struct {
		const char *host;
		unsigned int prefix;
		const char *range; /* NULL: no DHCPv6 */
	} rows[] = {
		{"fd00:2::1", 48, "fd00:2::1000,fd00:2::1fff,64,"},
		{"fd00:2::1001", 64, "fd00:2::1000,fd00:2::1fff,slaac,64,"},
		{"fd00:2::ffff:1", 96, "fd00:2::1000,fd00:2::1fff,96,"},
		{"fd00:2::abcd", 115, "fd00:2::b000,fd00:2::bfff,115,"},
		{"fd00:2::1", 116, "fd00:2::800,fd00:2::fff,116,"},
		{"fd00:2::5fe", 120, "fd00:2::501,fd00:2::57f,120,"},
		{"fd00:2::1", 126, "fd00:2::2,fd00:2::3,126,"},
		{"fd00:2::2", 126, "fd00:2::1,fd00:2::1,126,"},
		{"fd00:2::2", 127, "fd00:2::3,fd00:2::3,127,"},
		{"fd00:2::3", 127, "fd00:2::2,fd00:2::2,127,"},
		{"fd00:2::1", 128, NULL},
	};

	if (!have_program("dhcpcd"))
		return;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct policy_network lab = lab_network("lab", MODE_HOST_ONLY, 2);
		char address[64];
		int ranges;

		lab.ipv6.prefix = rows[i].prefix;
		assert_int_equal(inet_pton(AF_INET6, rows[i].host, lab.ipv6.address), 1);
		lab_bridge(&lab);
		lab_start(&lab);
		ranges = atoi(command_line("tr '\\0' '\\n' </proc/%d/cmdline | grep -c -e '--dhcp-range=.*%s'",
			(int)dnsmasq_pid("lab"), rows[i].range ? rows[i].range : "172"));
		assert_int_equal(ranges, 1);
		if (rows[i].range) {
			lab_guest("alpha", "lab");
			lab_dhcp("alpha", "alpha");
			address_of("alpha", "fd00:2::[0-9a-f:]*/128", address);
			assert_string_not_equal(address, rows[i].host);
		}
		clean_lab(state);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		LAB_TEST(test_host_only),
		LAB_TEST(test_nat),
		LAB_TEST(test_router_advertisements),
		LAB_TEST(test_hostile_names),
		LAB_TEST(test_ipv6_subnets),
	};

	return cmocka_run_group_tests(tests, open_lab, close_world);
}
