// SPDX-License-Identifier: MIT
/*
 * A network with dhcp= and guests on it, for the tests of its dnsmasq: the bridge is made here, as `tapgate up` would;
 * a guest is a network namespace with an eth0 on the bridge. Inside tests/common/world, as all of the harness.
 */
#ifndef TESTS_NETNS_LAB_H
#define TESTS_NETNS_LAB_H

#include "dhcp/dhcp.h"
#include "tests/netns/harness.h"

/* A test, cleaned up after: no dnsmasq of ours, no guest, and what clean_world does. */
#define LAB_TEST(function) cmocka_unit_test_teardown(function, clean_lab)
int clean_lab(void **state);

/* open_world, and what dnsmasq and its guests need of /etc. */
int open_lab(void **state);

/* 172.16.N.1/24 fd00:N::1/64 dhcp=172.16.N.2-172.16.N.100 */
struct policy_network lab_network(const char *name, enum policy_mode mode, unsigned int n);

/* Make a network's bridge with its addresses; start its dnsmasq, which must work. */
void lab_bridge(const struct policy_network *network);
void lab_start(const struct policy_network *network);

/* A network of lab_network whose dnsmasq runs. Stop one, and its pid file must be gone. */
struct policy_network lab_running(const char *name, enum policy_mode mode, unsigned int n);
void lab_stop(const char *name);

/* A guest on a bridge, its eth0 up; and its DHCP client (dhcpcd) with a host name, until it has what it asked for. */
void lab_guest(const char *guest, const char *bridge);
void lab_dhcp(const char *guest, const char *host_name);

/* Let a guest ask one name server, in a domain. */
void lab_resolv_conf(const char *guest, const char *server, const char *domain);

/*
 * A name server on 127.0.0.53, as systemd-resolved has it, that the host asks. It knows outside.example (192.0.2.9),
 * the bare name 'bare' (192.0.2.11), and what it must not be asked for: lab.internal.
 */
void lab_resolver(void);

/* A TCP socket of an address's port 53: bound to it and listening, or connected to it. */
int lab_tcp(const char *address, bool listening);

/* What listens: a line each, with the protocol and the address ("udp 172.16.2.1:53"); link-local ones as "[fe80]". */
void assert_listens(const char *expected);

/* Poll a shell command until it succeeds; a deadline away, fail. */
void eventually(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* That the networks of running ones are these, in any order, apart by blanks. */
void assert_each(const char *names);

/* That starting it fails, with these words in the reason. */
void assert_start_fails(const struct policy_network *network, const char *words);

#endif
