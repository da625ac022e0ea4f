/*
 * Names: only the name that the policy allows, of a bridge that has that name, leads anywhere.
 */
#include "tests/netns/harness.h"

#include <stdio.h>
#include <string.h>

/*
 *	alice --- ? --- br0 (all names are allowed)
 *
 * Words that are no names of networks are refused as such, by --br, by --net, and by --br where --net wins.
 */
static void test_words_that_are_no_names(void **state)
{
	static const struct {
		const char *name, *why;
	} rows[] = {
		{"", "is empty"},
		{"sixteen-bytes-ab", "is longer than 15 bytes"},
		{"br0aaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "is longer than 15 bytes"},
		{".", "is a reserved word"},
		{"..", "is a reserved word"},
		{"all", "is a reserved word"},
		{"default", "is a reserved word"},
		{"/", "has characters other than letters, digits and ._-+@"},
		{"../br0", "has characters other than letters, digits and ._-+@"},
		{"br0/", "has characters other than letters, digits and ._-+@"},
		{"br0:1", "has characters other than letters, digits and ._-+@"},
		{":", "has characters other than letters, digits and ._-+@"},
		{"br%d", "has characters other than letters, digits and ._-+@"},
		{"%s%s%n", "has characters other than letters, digits and ._-+@"},
		{"br0 ", "has characters other than letters, digits and ._-+@"},
		{" br0", "has characters other than letters, digits and ._-+@"},
		{"br\t0", "has characters other than letters, digits and ._-+@"},
		{"br0\n", "br0\\x0a"},
		{"br0\r", "br0\\x0d"},
		{"\x1b[31mred", "\\x1b[31mred"},
		{"\x7f", "\\x7f"},
		{"\x80", "\\x80"},
		{"\x9b"
		 "31m",
			"\\x9b31m"},
		{"br\xc3\xb6", "br\\xc3\\xb6"},
		{"\xff", "\\xff"},
		{"-br0", "begins with '-'"},
		{"br0;reboot", "has characters other than letters, digits and ._-+@"},
		{"$(reboot)", "has characters other than letters, digits and ._-+@"},
		{"uid=0", "has characters other than letters, digits and ._-+@"},
		{"a' uid=0", "a\\x27 uid=0"},
		{"a\" b", "a\\x22 b"},
	};

	(void)state;
	make_bridge("br0");
	write_policy("allow all\n");
	for (size_t i = 0; i < COUNT(rows); i++) {
		char br[128], net[128];

		snprintf(br, sizeof(br), "--br=%s", rows[i].name);
		snprintf(net, sizeof(net), "--net=%s", rows[i].name);
		expect_refusal(&(struct call){.about = "--br", .argv = ARGS(br, FD)}, 2, rows[i].why);
		expect_refusal(&(struct call){.about = "--net", .argv = ARGS(net, FD)}, 2, rows[i].why);
		expect_refusal(&(struct call){.about = "--br beside --net", .argv = ARGS(br, "--net=br0", FD)}, 2,
			rows[i].why);
	}
}

/*
 *	alice --- ? --- br, br0, br00, br0aaaaaaaaaaaa (15 bytes), Br0; only br0 and the long one are allowed
 *
 * Neither a part of an allowed name, nor one that has it as a part, nor one that would be cut to it.
 */
static void test_names_alike(void **state)
{
	static const char *const bridges[] = {"br", "br0", "br00", "br0aaaaaaaaaaaa", "Br0", "b"};
	static const struct {
		const char *name;
		int code;
		const char *why;
	} rows[] = {
		{"br", 3, "may not use 'br': no rule allows it"},
		{"b", 3, "may not use 'b': no rule allows it"},
		{"br00", 3, "may not use 'br00': no rule allows it"},
		{"Br0", 3, "may not use 'Br0': no rule allows it"},
		{"BR0", 3, "may not use 'BR0': no rule allows it"},
		{"br0aaaaaaaaaaa", 3, "may not use 'br0aaaaaaaaaaa': no rule allows it"},
		{"br0aaaaaaaaaaaaa", 2, "is longer than 15 bytes"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(bridges); i++)
		make_bridge(bridges[i]);
	write_policy("allow br0\nallow br0aaaaaaaaaaaa\n");
	for (size_t i = 0; i < COUNT(rows); i++) {
		char word[64];

		snprintf(word, sizeof(word), "--br=%s", rows[i].name);
		expect_refusal(&(struct call){.about = "alike", .argv = ARGS(word, FD)}, rows[i].code, rows[i].why);
	}
	expect_grant(&(struct call){.about = "itself"}, "br0");
	expect_grant(&(struct call){.about = "15 bytes", .argv = ARGS("--br=br0aaaaaaaaaaaa", FD)}, "br0aaaaaaaaaaaa");
}

/*
 *	alice --- ? --- br9 (also known as "back"), br0 (also known as "front")
 *
 * The kernel finds a bridge by its alternative names too; the policy speaks of names alone, or a rule about a bridge
 * could be gone round.
 */
static void test_alternative_names(void **state)
{
	const struct {
		const char *about, *policy;
		const char *const *argv;
		int code;
		const char *why;
	} rows[] = {
		{"of a bridge that no rule allows", "allow br0\n", ARGS("--br=back", FD), 3, "no rule allows it"},
		{"of a bridge that is denied", "allow all\ndeny br9\n", ARGS("--br=back", FD), 1,
			"there is no bridge 'back'"},
		{"itself in a rule", "allow back\n", ARGS("--br=back", FD), 1, "there is no bridge 'back'"},
		{"itself in a rule, by --net", "allow back\n", ARGS("--br=br0", "--net=back", FD), 1,
			"there is no bridge 'back'"},
		{"of a bridge that is allowed", "allow br0\n", ARGS("--br=front", FD), 3, "no rule allows it"},
		{"both in rules", "allow br0\nallow front\n", ARGS("--br=front", FD), 1, "there is no bridge 'front'"},
		{"denied itself", "allow all\ndeny front\n", ARGS("--br=front", FD), 3,
			"denied by /etc/tapgate.conf:2"},
	};

	(void)state;
	make_bridge("br0");
	make_bridge("br9");
	command("ip link property add dev br9 altname back && ip link property add dev br0 altname front");
	for (size_t i = 0; i < COUNT(rows); i++) {
		write_policy(rows[i].policy);
		expect_refusal(&(struct call){.about = rows[i].about, .argv = rows[i].argv}, rows[i].code, rows[i].why);
	}
	write_policy("allow br0\n");
	expect_grant(&(struct call){.about = "the name"}, "br0");
}

/*
 *	alice --- ? --- br0, which is anything but a bridge
 */
static void test_other_kinds(void **state)
{
	static const struct {
		const char *kind, *rest;
	} rows[] = {{"dummy", ""}, {"ifb", ""}, {"bond", ""}, {"vrf", "table 10"}, {"veth", "peer name br1"}};
	unsigned int tested = 0;

	(void)state;
	write_policy("allow br0\nallow lo\n");
	for (size_t i = 0; i < COUNT(rows); i++) {
		if (shell_status("ip link add name br0 type %s %s 2>/dev/null", rows[i].kind, rows[i].rest) != 0) {
			print_message("           this kernel has no %s; the others stand for it\n", rows[i].kind);
			continue;
		}
		expect_refusal(&(struct call){.about = rows[i].kind}, 1, "'br0' is not a bridge");
		command("ip link del br0");
		tested++;
	}
	assert_true(tested > 0);
	make_tap("br0", ALICE, 0);
	expect_refusal(&(struct call){.about = "a tap of her own"}, 1, "'br0' is not a bridge");
	expect_refusal(&(struct call){.about = "lo", .argv = ARGS("--br=lo", FD)}, 1, "'lo' is not a bridge");
}

/*
 *	alice --- ? --- (nothing), dark
 *
 * What is allowed and does not exist is said not to exist. What is not allowed reads alike whether it exists or not.
 */
static void test_bridges_that_are_missing(void **state)
{
	struct result there, missing;

	(void)state;
	write_policy("allow br0\n");
	expect_refusal(&(struct call){0}, 1, "there is no bridge 'br0'");
	make_bridge("dark");
	there = run(&(struct call){.argv = ARGS("--br=dark", FD)});
	command("ip link del dark");
	missing = run(&(struct call){.argv = ARGS("--br=dark", FD)});
	assert_refused(&there, 3, "uid 1000 may not use 'dark': no rule allows it");
	assert_refused(&missing, 3, "uid 1000 may not use 'dark': no rule allows it");
	assert_string_equal(there.errors, missing.errors);
}

/*
 *	alice --- ? --- br0 (1023 ports, all that the kernel allows), then one less
 */
static void test_bridge_without_a_free_port(void **state)
{
	(void)state;
	prepare_br0();
	command("i=0; while [ $i -lt 512 ]; do "
		"  echo link add name a$i group 7 master br0 type veth peer name b$i; "
		"  [ $i = 511 ] || echo link set b$i master br0 group 7; i=$((i+1)); "
		"done | ip -batch -");
	expect_refusal(&(struct call){.about = "1023 ports"}, 1, "bridge 'br0' has no free port");
	command("ip link set a1 nomaster");
	expect_grant(&(struct call){.about = "1022 ports"}, "br0");
	command("ip link del group 7");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_words_that_are_no_names),
		TEST(test_names_alike),
		TEST(test_alternative_names),
		TEST(test_other_kinds),
		TEST(test_bridges_that_are_missing),
		TEST(test_bridge_without_a_free_port),
	};

	return RUN_TESTS(tests);
}
