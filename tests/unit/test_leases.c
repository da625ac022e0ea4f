// SPDX-License-Identifier: MIT
/* dnsmasq's leases (dhcp/leases.c): lines as it writes them, and lines that somebody else had a hand in. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <stdio.h>

#include "dhcp/dhcp.h"

enum { NOW = 1000000 };

#define LABEL_63 "a23456789b23456789c23456789d23456789e23456789f23456789g23456789"

static void test_lines(void **state)
{
	static const struct {
		const char *line, *expected; /* expected: address, hardware address or -, name; NULL: no lease */
	} rows[] = {
		{"1000001 52:54:00:12:00:01 172.16.2.37 alpha 01:52:54:00:12:00:01",
			"172.16.2.37 52:54:00:12:00:01 alpha"},
		{"0 52:54:00:12:00:01 172.16.2.37 * *", "172.16.2.37 52:54:00:12:00:01 "},	/* for ever; no name */
		{"1000000 52:54:00:12:00:01 172.16.2.37 alpha *", NULL},			/* expired */
		{"4294967295 06-52:54:00:12:00:01 172.16.2.37 alpha *", "172.16.2.37 - alpha"}, /* not Ethernet */
		{"1000001 53:54:00:12:00:01 172.16.2.37 alpha *", "172.16.2.37 - alpha"},	/* multicast */
		{"1000001 T1234567 fd00:2::1abc alpha 00:01:00:01:32:96:2a:dd:52:54:00:12:00:01",
			"fd00:2::1abc 52:54:00:12:00:01 alpha"},
		{"1000001 1234567 fd00:2::1abc * 00:03:00:01:52:54:00:12:00:01", "fd00:2::1abc 52:54:00:12:00:01 "},
		/* Other identifiers: an enterprise's, a UUID, other hardware, of the wrong length, no number. */
		{"1000001 1 fd00::1 b 00:02:00:00:ab:11:52:54:00:12", "fd00::1 - b"},
		{"1000001 1 fd00::1 b 00:04:00:01:02:03:04:05:06:07:08:09:0a:0b:0c:0d:0e:0f", "fd00::1 - b"},
		{"1000001 1 fd00::1 b 00:03:00:06:52:54:00:12:00:01", "fd00::1 - b"},
		{"1000001 1 fd00::1 b 00:03:00:01:52:54:00:12:00", "fd00::1 - b"},
		{"1000001 1 fd00::1 b 00:03:00:01:52:54:00:12:00:0", "fd00::1 - b"},
		{"1000001 1 fd00::1 b 00:03:00:01:52:54:00:12:00:0g", "fd00::1 - b"},
		{"1000001 1 fd00::1 b 00:03:00:01:53:54:00:12:00:01", "fd00::1 - b"},
		{"1000001 1 fd00::1 b 00-03:00:01:52:54:00:12:00:01", "fd00::1 - b"},
		/* No leases. */
		{"duid 00:01:00:01:32:96:2a:dd:02:74:67:dc:40:2f", NULL},
		{"", NULL},
		{"1000001", NULL},
		{"1000001 52:54:00:12:00:01 172.16.2.37 alpha", NULL},
		{"1000001 52:54:00:12:00:01 172.16.2.37 alpha * more", NULL},
		{"1000001 52:54:00:12:00:01 172.16.2.370 alpha *", NULL},
		{"1000001 52:54:00:12:00:01 172.16.2.37.172.16.2.37.172.16.2.37.172.16.2.37.172.16 alpha *", NULL},
		{"-1 52:54:00:12:00:01 172.16.2.37 alpha *", NULL},
		{"1000001x 52:54:00:12:00:01 172.16.2.37 alpha *", NULL},
		{"99999999999 52:54:00:12:00:01 172.16.2.37 alpha *", NULL},
		/* Names: kept as they are, to be escaped by who shows them; none that is too long for one. */
		{"1000001 52:54:00:12:00:01 172.16.2.37 a\033[2J\"' *", "172.16.2.37 52:54:00:12:00:01 a\033[2J\"'"},
		{"1000001 52:54:00:12:00:01 172.16.2.37 " LABEL_63 " *", "172.16.2.37 52:54:00:12:00:01 " LABEL_63},
		{"1000001 52:54:00:12:00:01 172.16.2.37 " LABEL_63 "h *", "172.16.2.37 52:54:00:12:00:01 "},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		char text[256], address[INET6_ADDRSTRLEN], mac[MAC_TEXT] = "-";
		struct lease lease;
		bool read = lease_read((struct word){rows[i].line, strlen(rows[i].line)}, NOW, &lease);

		if (read != (rows[i].expected != NULL))
			fail_msg("%s: %s", rows[i].line, read ? "read" : "not read");
		if (!read)
			continue;
		if (lease.has_mac)
			mac_text(lease.mac, mac);
		inet_ntop(lease.family, lease.address, address, sizeof(address));
		snprintf(text, sizeof(text), "%s %s %s", address, mac, lease.name);
		assert_string_equal(text, rows[i].expected);
	}
}

/* A NUL in a name would end what is compared with it. */
static void test_nul(void **state)
{
	static const char line[] = "0 52:54:00:12:00:01 172.16.2.37 al\0pha *";
	struct lease lease;

	(void)state;
	assert_true(lease_read((struct word){line, sizeof(line) - 1}, NOW, &lease));
	assert_string_equal(lease.name, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_nul),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
