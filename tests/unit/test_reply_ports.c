// SPDX-License-Identifier: MIT
/*
 * What the kernel says of a bridge's port beside the interface itself: entries of forwarding databases and VLANs
 * (link/bridge.c), locked taps (link/alias.c), and programs (link/tc.c). What it says is taken, what it never says is
 * refused.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <netinet/in.h>

#include <linux/if_bridge.h>
#include <linux/neighbour.h>
#include <linux/pkt_cls.h>
#include <linux/rtnetlink.h>

#include "link/link.h"
#include "tests/unit/datagram.h"

/* --- forwarding databases ----------------------------------------------------------------------------------------- */

struct seen {
	unsigned int count;
	struct fdb_entry last;
};

static void see(void *context, const struct fdb_entry *entry)
{
	struct seen *seen = context;

	seen->count++;
	seen->last = *entry;
}

static void begin_entry(struct datagram *d, const struct ndmsg *header)
{
	begin(d, RTM_NEWNEIGH);
	put(d, header, sizeof(*header));
}

static int read_entry(struct datagram *d, struct seen *seen)
{
	struct fdb_reader reader = {see, seen};

	*seen = (struct seen){0};
	return read_with(d, reply_take_fdb_entry, &reader);
}

static const unsigned char mac[8] = {0x02, 0xaa, 0xbb, 0xcc, 0xdd, 0x01};

/* An entry is fixed in this one state alone, not in one that only has its bit; it stays if it is sticky. */
static void test_entries(void **state)
{
	static const struct {
		uint16_t state;
		unsigned char flags;
		bool fixed, stays;
	} rows[] = {
		{NUD_NOARP, 0, true, false},
		{NUD_NOARP, NTF_MASTER | NTF_STICKY, true, true},
		{NUD_PERMANENT, NTF_SELF, false, false},
		{NUD_REACHABLE, 0, false, false},
		{NUD_STALE, NTF_STICKY, false, true},
		{NUD_NOARP | NUD_PERMANENT, 0xff & ~NTF_STICKY, false, false},
		{NUD_NONE, 0xff, false, true},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		const struct ndmsg header = {.ndm_family = AF_BRIDGE,
			.ndm_ifindex = 5,
			.ndm_state = rows[i].state,
			.ndm_flags = rows[i].flags};
		struct datagram d = {.size = 0};
		struct seen seen;

		begin_entry(&d, &header);
		attribute(&d, NDA_LLADDR, mac, 6);
		number(&d, NDA_MASTER, 3);
		assert_int_equal(read_entry(&d, &seen), 0);
		assert_int_equal(seen.count, 1);
		assert_int_equal(seen.last.index, 5);
		assert_memory_equal(seen.last.mac, mac, 6);
		assert_int_equal(seen.last.fixed, rows[i].fixed);
		assert_int_equal(seen.last.stays, rows[i].stays);
	}
}

/* Passed over: a list may hold such entries. */
static void test_entries_of_other_addresses(void **state)
{
	static const int sizes[] = {-1, 0, 4, 5, 7, 8};

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		const struct ndmsg header = {.ndm_family = AF_BRIDGE, .ndm_ifindex = 5};
		struct datagram d = {.size = 0};
		struct seen seen;

		begin_entry(&d, &header);
		if (sizes[i] >= 0)
			attribute(&d, NDA_LLADDR, mac, (size_t)sizes[i]);
		assert_int_equal(read_entry(&d, &seen), 0);
		assert_int_equal(seen.count, 0);
	}
}

static void test_no_entries(void **state)
{
	const struct ndmsg bridge = {.ndm_family = AF_BRIDGE}, inet = {.ndm_family = AF_INET};
	struct datagram other_family = {.size = 0}, other_type = {.size = 0}, cut = {.size = 0}, spoilt = {.size = 0};
	struct datagram *rows[] = {&other_family, &other_type, &cut};

	(void)state;
	begin_entry(&other_family, &inet);
	attribute(&other_family, NDA_LLADDR, mac, 6);
	begin_entry(&other_type, &bridge);
	attribute(&other_type, NDA_LLADDR, mac, 6);
	other_type.message->nlmsg_type = RTM_DELNEIGH;
	begin(&cut, RTM_NEWNEIGH);
	put(&cut, &bridge, sizeof(bridge) - 4);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct seen seen;

		assert_int_equal(read_entry(rows[i], &seen), -EPROTO);
		assert_int_equal(seen.count, 0);
	}
	/* An attribute that is longer than its message: what is before it counts, as in libnl. */
	begin_entry(&spoilt, &bridge);
	put(&spoilt, &(const struct nlattr){.nla_len = 64, .nla_type = NDA_LLADDR}, sizeof(struct nlattr));
	struct seen seen;
	assert_int_equal(read_entry(&spoilt, &seen), 0);
	assert_int_equal(seen.count, 0);
}

/* --- locked taps -------------------------------------------------------------------------------------------------- */

struct marks {
	unsigned int count;
	struct locked last;
};

static void see_mark(void *context, const struct locked *locked)
{
	struct marks *marks = context;

	marks->count++;
	marks->last = *locked;
}

/* An interface with these alternative names; NULL: one only. */
static int read_marks(const char *first, const char *second, struct marks *marks)
{
	const struct ifinfomsg header = {.ifi_index = 5};
	struct locked_reader reader = {see_mark, marks};
	struct datagram d = {.size = 0};
	size_t names;

	*marks = (struct marks){0};
	begin(&d, RTM_NEWLINK);
	put(&d, &header, sizeof(header));
	names = open_nest(&d, IFLA_PROP_LIST);
	attribute(&d, IFLA_ALT_IFNAME, first, strlen(first) + 1);
	if (second)
		attribute(&d, IFLA_ALT_IFNAME, second, strlen(second) + 1);
	close_nest(&d, names);
	return read_with(&d, reply_take_locked, &reader);
}

/* A name is a mark if it is one to the letter. */
static void test_marks(void **state)
{
	static const char *const others[] = {"", "enp1s0", "tapgate-lock-", "tapgate-lock-7",
		"tapgate-lock-7-52540012345", "tapgate-lock-7-5254001234567", "tapgate-lock-7-52540012345G",
		"tapgate-lock-7-52540012345A", "tapgate-lock-+7-525400123456", "tapgate-lock-07-525400123456",
		"tapgate-lock- 7-525400123456", "tapgate-lock-7-525400123456 ", "Tapgate-lock-7-525400123456",
		"xtapgate-lock-7-525400123456"};
	static const unsigned char expected[] = {0x52, 0x54, 0x00, 0x12, 0x34, 0x56};
	struct marks marks;

	(void)state;
	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++) {
		assert_int_equal(read_marks(others[i], NULL, &marks), 0);
		assert_int_equal(marks.count, 0);
	}
	for (int second = 0; second <= 1; second++) {
		assert_int_equal(read_marks(second ? "enp1s0" : "tapgate-lock-7-525400123456",
					 second ? "tapgate-lock-7-525400123456" : "enp1s0", &marks),
			0);
		assert_int_equal(marks.count, 1);
		assert_int_equal(marks.last.tap, 5);
		assert_int_equal(marks.last.bridge, 7);
		assert_memory_equal(marks.last.mac, expected, 6);
	}
}

static void test_no_marks(void **state)
{
	const struct ifinfomsg header = {.ifi_index = 5};
	struct marks marks = {0};
	struct locked_reader reader = {see_mark, &marks};
	struct datagram none = {.size = 0}, other = {.size = 0};

	(void)state;
	begin(&none, RTM_NEWLINK);
	put(&none, &header, sizeof(header));
	assert_int_equal(read_with(&none, reply_take_locked, &reader), 0);
	begin(&other, RTM_DELLINK);
	put(&other, &header, sizeof(header));
	assert_int_equal(read_with(&other, reply_take_locked, &reader), -EPROTO);
	assert_int_equal(marks.count, 0);
}

/* --- VLANs -------------------------------------------------------------------------------------------------------- */

static void begin_vlans(struct datagram *d)
{
	const struct br_vlan_msg header = {.family = AF_BRIDGE, .ifindex = 5};

	begin(d, RTM_NEWVLAN);
	put(d, &header, sizeof(header));
}

/* BRIDGE_VLANDB_ENTRY { BRIDGE_VLANDB_ENTRY_INFO [BRIDGE_VLANDB_ENTRY_RANGE] }; `last` is 0 for one VLAN. */
static void vlans(struct datagram *d, uint16_t first, uint16_t last, unsigned int flags)
{
	const struct bridge_vlan_info info = {.vid = first, .flags = (uint16_t)flags};
	size_t entry = open_nest(d, BRIDGE_VLANDB_ENTRY);

	attribute(d, BRIDGE_VLANDB_ENTRY_INFO, &info, sizeof(info));
	if (last)
		attribute(d, BRIDGE_VLANDB_ENTRY_RANGE, &last, sizeof(last));
	close_nest(d, entry);
}

static void test_vlans(void **state)
{
	enum { ACCESS = BRIDGE_VLAN_INFO_PVID | BRIDGE_VLAN_INFO_UNTAGGED };
	static const struct {
		uint16_t vlans[2][2];
		unsigned int flags;
		unsigned int count;
		uint32_t vlan;
		bool untagged;
	} rows[] = {
		{{{20, 0}}, ACCESS, 1, 20, true},
		{{{20, 0}}, BRIDGE_VLAN_INFO_PVID, 1, 20, false},
		{{{20, 0}}, BRIDGE_VLAN_INFO_UNTAGGED, 1, 20, false},
		{{{20, 0}}, 0, 1, 20, false},
		{{{20, 0}}, ACCESS | BRIDGE_VLAN_INFO_MASTER, 1, 20, true},
		{{{20, 30}}, ACCESS, 2, 20, true}, /* more than one, however many */
		{{{1, 0}, {20, 0}}, ACCESS, 2, 20, true},
		{{{1, 9}, {20, 4094}}, 0, 4, 20, false},
		{{{0, 0}}, 0, 0, 0, false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct vlan_reader reader = {.count = 0};
		struct datagram d = {.size = 0};

		begin_vlans(&d);
		attribute(&d, BRIDGE_VLANDB_GLOBAL_OPTIONS, "", 0);
		for (int j = 0; j < 2; j++) {
			if (rows[i].vlans[j][0])
				vlans(&d, rows[i].vlans[j][0], rows[i].vlans[j][1], rows[i].flags);
		}
		assert_int_equal(read_with(&d, reply_take_vlans, &reader), 0);
		assert_int_equal(reader.count, rows[i].count);
		assert_int_equal(reader.vlan, rows[i].vlan);
		assert_int_equal(reader.untagged, rows[i].untagged);
		assert_int_equal(vlan_is_only(&reader, 20), rows[i].count == 1 && rows[i].untagged);
		assert_false(vlan_is_only(&reader, 21));
	}
}

static void test_no_vlans(void **state)
{
	struct datagram no_info = {.size = 0}, short_info = {.size = 0}, other_type = {.size = 0}, cut = {.size = 0};
	struct datagram *rows[] = {&no_info, &short_info, &other_type, &cut};
	const struct br_vlan_msg header = {.family = AF_BRIDGE};
	size_t entry;

	(void)state;
	begin_vlans(&no_info);
	close_nest(&no_info, open_nest(&no_info, BRIDGE_VLANDB_ENTRY));
	begin_vlans(&short_info);
	entry = open_nest(&short_info, BRIDGE_VLANDB_ENTRY);
	attribute(&short_info, BRIDGE_VLANDB_ENTRY_INFO, "\1\2", 2);
	close_nest(&short_info, entry);
	begin_vlans(&other_type);
	vlans(&other_type, 20, 0, 0);
	other_type.message->nlmsg_type = RTM_DELVLAN;
	begin(&cut, RTM_NEWVLAN);
	put(&cut, &header, sizeof(header) - 4);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct vlan_reader reader = {.count = 0};

		assert_int_equal(read_with(rows[i], reply_take_vlans, &reader), -EPROTO);
		assert_int_equal(reader.count, 0);
	}
}

/* --- programs ----------------------------------------------------------------------------------------------------- */

static const struct tc_program program = {
	.size = 2, .code = {BPF_STMT(BPF_RET | BPF_K, 0), BPF_STMT(BPF_RET | BPF_K, 1)}};

/* A program of so many instructions and with such flags, as the kernel says it (tc-bpf(8)). */
static bool is_program(size_t size, uint32_t flags)
{
	const struct tcmsg header = {.tcm_ifindex = 7, .tcm_parent = 3};
	struct program_reader reader = {.header = header, .program = &program};
	struct datagram d = {.size = 0};
	struct sock_filter code[4] = {program.code[0], program.code[1]};
	size_t options;

	begin(&d, RTM_NEWTFILTER);
	put(&d, &header, sizeof(header));
	options = open_nest(&d, TCA_OPTIONS);
	attribute(&d, TCA_BPF_OPS, code, size * sizeof(*code));
	number(&d, TCA_BPF_FLAGS, flags);
	close_nest(&d, options);
	assert_int_equal(read_with(&d, reply_take_program, &reader), 0);
	return reader.same;
}

/* The one that was asked for, whole and with nothing behind it, and whose word counts. */
static void test_programs(void **state)
{
	(void)state;
	assert_true(is_program(2, TCA_BPF_FLAG_ACT_DIRECT));
	assert_false(is_program(1, TCA_BPF_FLAG_ACT_DIRECT));
	assert_false(is_program(3, TCA_BPF_FLAG_ACT_DIRECT));
	assert_false(is_program(2, 0));
	assert_false(is_program(2, TCA_BPF_FLAG_ACT_DIRECT | 2));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_entries),
		cmocka_unit_test(test_entries_of_other_addresses),
		cmocka_unit_test(test_no_entries),
		cmocka_unit_test(test_marks),
		cmocka_unit_test(test_no_marks),
		cmocka_unit_test(test_vlans),
		cmocka_unit_test(test_no_vlans),
		cmocka_unit_test(test_programs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
