// SPDX-License-Identifier: MIT
/* Hardware addresses (policy/text.c): their text, and the block that a user has on a network. */
#include "tests/unit/test_policy.h"

#include "policy/text.h"

static void test_read(void **state)
{
	static const struct {
		const char *text;
		size_t size;
		bool good;
		unsigned char mac[MAC_BYTES];
	} rows[] = {
		{TEXT("52:54:00:12:34:56"), true, {0x52, 0x54, 0x00, 0x12, 0x34, 0x56}},
		{TEXT("fe:FF:ff:aB:Cd:09"), true, {0xfe, 0xff, 0xff, 0xab, 0xcd, 0x09}},
		{TEXT("00:00:00:00:00:01"), true, {0, 0, 0, 0, 0, 1}},
		{TEXT("00:00:00:00:00:00"), false, {0}},
		{TEXT("ff:ff:ff:ff:ff:ff"), false, {0}},
		{TEXT("01:00:5e:00:00:01"), false, {0}},
		{TEXT("52:54:00:12:34:5"), false, {0}},
		{TEXT("52:54:00:12:34:567"), false, {0}},
		{TEXT("52:54:00:12:34:56:"), false, {0}},
		{TEXT("52-54-00-12-34-56"), false, {0}},
		{TEXT("5254.0012.3456"), false, {0}},
		{TEXT("52:54:00:12:34:5g"), false, {0}},
		{TEXT("52:54:00:12:34: 6"), false, {0}},
		{TEXT("52:54:00:12:34\0:56"), false, {0}},
		{TEXT("52:54:00:12:34:\xb5\xb6"), false, {0}},
		{TEXT(""), false, {0}},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		unsigned char mac[MAC_BYTES] = {0};
		char text[MAC_TEXT], lower[MAC_TEXT];

		if (mac_read((struct word){rows[i].text, rows[i].size}, mac) != rows[i].good)
			fail_msg("%s", rows[i].text);
		if (!rows[i].good)
			continue;
		assert_memory_equal(mac, rows[i].mac, MAC_BYTES);
		mac_text(mac, text);
		snprintf(lower, sizeof(lower), "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3], mac[4],
			mac[5]);
		assert_string_equal(text, lower);
	}
}

/* Addresses stand in DHCP leases and command lines: they may not change with a version. */
static void test_blocks(void **state)
{
	static const struct {
		uint32_t uid;
		const char *network;
		unsigned char block[MAC_BLOCK_BYTES];
	} rows[] = {
		{1000, "lab", {0x22, 0xfd, 0xd4, 0x18, 0x77}},
		{1000, "br0", {0x2a, 0x27, 0x1c, 0x5f, 0x77}},
		{1001, "lab", {0x66, 0x16, 0x7e, 0xad, 0xb8}},
		{0, "lab", {0x4e, 0x87, 0x85, 0x76, 0x24}},
		{100, "0lab", {0x42, 0x46, 0x09, 0xe0, 0xad}},
		{1000, "Lab", {0x42, 0x1a, 0xff, 0x7d, 0x76}},
		{4294967295, "abcdefghijklmno", {0x22, 0xcb, 0x20, 0xbe, 0x68}},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		unsigned char block[MAC_BLOCK_BYTES];

		assert_true(mac_block(rows[i].uid, rows[i].network, block));
		assert_memory_equal(block, rows[i].block, sizeof(block));
	}
}

static int compare_blocks(const void *a, const void *b)
{
	return memcmp(a, b, MAC_BLOCK_BYTES);
}

/* Of many users and networks: each has its own, and all are what a guest may have. */
static void test_no_block_twice(void **state)
{
	enum { USERS = 20000, NETWORKS = 5 };
	static unsigned char blocks[USERS * NETWORKS][MAC_BLOCK_BYTES];
	static const char *const networks[NETWORKS] = {"lab", "lab1", "lab2", "br0", "br1"};
	size_t count = 0, same = 0;

	(void)state;
	for (uint32_t uid = 0; uid < USERS; uid++) {
		for (size_t i = 0; i < NETWORKS; i++, count++) {
			assert_true(mac_block(uid, networks[i], blocks[count]));
			assert_int_equal(blocks[count][0] & 0x83, 0x02); /* unicast, local, not 0xfe */
		}
	}
	qsort(blocks, count, MAC_BLOCK_BYTES, compare_blocks);
	for (size_t i = 1; i < count; i++)
		same += compare_blocks(blocks[i - 1], blocks[i]) == 0;
	assert_int_equal(same, 0);
}

static void test_no_network(void **state)
{
	static const char *const names[] = {"", "all", "0123456789abcdef", "a b", "a/b", "..", "-a", "a\n"};
	unsigned char block[MAC_BLOCK_BYTES];

	(void)state;
	for (size_t i = 0; i < COUNT(names); i++)
		assert_false(mac_block(1000, names[i], block));
}

static void test_in_block(void **state)
{
	static const unsigned char block[MAC_BLOCK_BYTES] = {0x22, 0xfd, 0xd4, 0x18, 0x77};
	unsigned char mac[MAC_BYTES] = {0x22, 0xfd, 0xd4, 0x18, 0x77, 0};

	(void)state;
	assert_true(mac_in_block(mac, block));
	mac[5] = 0xff;
	assert_true(mac_in_block(mac, block));
	for (size_t i = 0; i < MAC_BLOCK_BYTES; i++) {
		mac[i] ^= 1;
		assert_false(mac_in_block(mac, block));
		mac[i] ^= 1;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_read),
		cmocka_unit_test(test_blocks),
		cmocka_unit_test(test_no_block_twice),
		cmocka_unit_test(test_no_network),
		cmocka_unit_test(test_in_block),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
