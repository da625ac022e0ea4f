/*
 * Account files of any size: what a policy says of a name holds with thousands of lines around it, and with a group of
 * thousands of members. (Who a rule means: test_policy_files.c.)
 */
#include "tests/netns/harness.h"

#include <stdio.h>
#include <stdlib.h>

static const gid_t no_groups[1];
static const struct user alice_without_groups = {ALICE, ALICE, no_groups, 0};
static const struct user carol_without_groups = {CAROL, CAROL, no_groups, 0};

/* A file that begins with root's line, has so many lines, and ends with one that matters. */
static void write_lines(const char *path, const char *first, const char *filler, const char *last, unsigned int lines)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	assert_non_null(out);
	fputs(first, out);
	for (unsigned int i = 0; i < lines - 2; i++)
		fprintf(out, "name%u:x:%u:%s\n", i, 3000 + i, filler);
	fputs(last, out);
	fclose(out);
	write_bytes(path, text, size, 0644, 0, 0);
	free(text);
}

static void write_accounts(unsigned int lines)
{
	write_lines("/etc/passwd", "root:x:0:0::/root:/bin/sh\n", "3000::/nonexistent:/bin/sh",
		"alice:x:1000:1000::/nonexistent:/bin/sh\n", lines);
	write_lines("/etc/group", "root:x:0:\n", "alice,bob", "students:x:2000:alice,bob\n", lines);
}

/* What a policy says to alice, and to alice without the groups that she is listed in. */
static void check_policies(const char *about)
{
	write_policy("allow br0 user=alice\n");
	expect_grant(&(struct call){.about = about}, "br0");
	expect_refusal(&(struct call){.about = about, .user = &bob}, 3, "no rule allows it");
	write_policy("allow br0 group=students\n");
	expect_grant(&(struct call){.about = about}, "br0");
	expect_refusal(&(struct call){.about = about, .user = &carol}, 3, "no rule allows it");
	write_policy("allow br0\ndeny br0 group=students\n");
	expect_refusal(
		&(struct call){.about = about, .user = &alice_without_groups}, 3, "denied by /etc/tapgate.conf:2");
}

/*
 *	alice, bob --- ? --- br0, by names in account files of many lines
 *
 * A library that sorts or reads much asks the kernel for more than one that sorts little.
 */
static void test_many_lines(void **state)
{
	static const unsigned int counts[] = {20, 30, 62, 1000, 5000, 20000};

	(void)state;
	make_bridge("br0");
	for (size_t i = 0; i < COUNT(counts); i++) {
		char about[32];

		snprintf(about, sizeof(about), "%u lines", counts[i]);
		write_accounts(counts[i]);
		check_policies(about);
	}
}

/*
 *	alice, bob --- ? --- br0, by a group whose one line has 1 MB
 */
static void test_long_line(void **state)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	(void)state;
	assert_non_null(out);
	make_bridge("br0");
	write_accounts(62);
	fputs("root:x:0:\nstudents:x:2000:", out);
	for (unsigned int i = 0; ftell(out) < 1000000; i++)
		fprintf(out, "member%u,", i);
	fputs("alice\nguests:x:2001:carol\n", out);
	fclose(out);
	write_bytes("/etc/group", text, size, 0644, 0, 0);
	free(text);
	check_policies("a line of 1 MB");
}

/*
 *	alice, bob --- ? --- br0, by names and numbers that stand on two lines
 *
 * The first line of a name is the one that counts, as for the C library's own look-ups; a group is one by its number,
 * whichever of its lines lists the user, and however far below the others.
 */
static void test_lines_of_one_name(void **state)
{
	static const char passwd[] = "root:x:0:0::/:/bin/sh\nalice:x:1000:1000::/:/bin/sh\n"
				     "alice:x:1001:1001::/:/bin/sh\ncarol:x:1002:1002::/:/bin/sh\n";
	static const char group[] = "root:x:0:\ncrew:x:2000:\nstudents:x:2000:alice\nstudents:x:2001:carol\n";

	(void)state;
	make_bridge("br0");
	write_bytes("/etc/passwd", passwd, sizeof(passwd) - 1, 0644, 0, 0);
	write_bytes("/etc/group", group, sizeof(group) - 1, 0644, 0, 0);
	write_policy("allow br0 user=alice\n");
	expect_grant(&(struct call){.about = "the first alice"}, "br0");
	expect_refusal(&(struct call){.about = "the second alice", .user = &bob}, 3, "no rule allows it");
	write_policy("allow br0\ndeny br0 group=crew\n");
	expect_refusal(&(struct call){.about = "a group's other name", .user = &alice_without_groups}, 3,
		"denied by /etc/tapgate.conf:2");
	write_policy("allow br0\ndeny br0 group=#2001\n");
	expect_refusal(
		&(struct call){.about = "number", .user = &carol_without_groups}, 3, "denied by /etc/tapgate.conf:2");
	write_policy("allow br0\ndeny br0 group=students\n");
	expect_grant(&(struct call){.about = "a later line's number", .user = &carol_without_groups}, "br0");
}

/*
 *	alice --- ? --- br0, by account files that cannot be read whole
 *
 * Who is in no group that can be read might be in one that is denied. A rule that needs no names needs no files.
 */
static void test_files_that_cannot_be_read(void **state)
{
	static const char *const files[] = {"/etc/passwd", "/etc/group"};

	(void)state;
	make_bridge("br0");
	for (size_t i = 0; i < COUNT(files); i++) {
		command("rm -rf %s.kept && cp -p %s %s.kept", files[i], files[i], files[i]);
		for (int kind = 0; kind < 2; kind++) {
			const struct call call = {.about = files[i]};

			if (kind == 0)
				command("chmod 0600 %s", files[i]);
			else
				command("rm %s && mkdir %s", files[i], files[i]);
			write_policy("allow br0\ndeny br0 user=bob\n");
			expect_refusal(&call, 1, "cannot read /etc/passwd and /etc/group whole");
			write_policy("allow br0\ndeny br0 group=guests\n");
			expect_refusal(&call, 1, "cannot read /etc/passwd and /etc/group whole");
			write_policy("allow br0 user=#1000\ndeny br1 group=guests\n");
			expect_grant(&call, "br0");
		}
		command("rm -r %s && mv %s.kept %s", files[i], files[i], files[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_many_lines),
		TEST(test_long_line),
		TEST(test_lines_of_one_name),
		TEST(test_files_that_cannot_be_read),
	};

	return RUN_TESTS(tests);
}
