// SPDX-License-Identifier: MIT
/*
 * Limits of the process (setrlimit) that the helper inherits. Where they are harmless they make no difference; where
 * they starve the helper, the end is a full grant or nothing at all.
 */
#include "tests/netns/harness.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

struct limit {
	const char *about;
	__rlimit_resource_t resource;
	rlim_t from, to;   /* doubled from the one to the other */
	bool always_works; /* the helper has what it needs */
};

static void set_limit(const struct call *call)
{
	const struct limit *limit = call->context;
	const struct rlimit value = {limit->from, limit->from};

	if (setrlimit(limit->resource, &value) < 0)
		_exit(124);
}

/* Only the soft limit, which the helper may raise again. */
static void set_soft_limit(const struct call *call)
{
	const struct limit *limit = call->context;
	struct rlimit value;

	if (getrlimit(limit->resource, &value) < 0)
		_exit(124);
	value.rlim_cur = limit->from;
	if (setrlimit(limit->resource, &value) < 0)
		_exit(124);
}

static void check_hard_limits(const char *const *argv, const char *bridge)
{
	static const struct limit limits[] = {
		{"no file descriptors", RLIMIT_NOFILE, 0, 0, false},
		{"3 file descriptors", RLIMIT_NOFILE, 3, 3, false},
		{"4 file descriptors", RLIMIT_NOFILE, 4, 4, false},
		{"5 file descriptors", RLIMIT_NOFILE, 5, 5, false},
		{"6 file descriptors", RLIMIT_NOFILE, 6, 6, false},
		{"7 file descriptors", RLIMIT_NOFILE, 7, 7, false},
		{"8 file descriptors", RLIMIT_NOFILE, 8, 8, false},
		{"16 file descriptors", RLIMIT_NOFILE, 16, 16, false},
		{"17 file descriptors", RLIMIT_NOFILE, 17, 17, true},
		{"address space", RLIMIT_AS, 1 << 12, 1 << 26, false},
		{"data", RLIMIT_DATA, 1, 1 << 26, false},
		{"stack", RLIMIT_STACK, 1, 1 << 23, false},
		{"no file size", RLIMIT_FSIZE, 0, 0, true},
		{"1 second", RLIMIT_CPU, 1, 1, true},
		{"no processes", RLIMIT_NPROC, 0, 0, true},
		{"no locked memory", RLIMIT_MEMLOCK, 0, 0, true},
		{"no pending signals", RLIMIT_SIGPENDING, 0, 0, false}, /* the timer that ends the helper */
		{"no message queues", RLIMIT_MSGQUEUE, 0, 0, true},
		{"no locks", RLIMIT_LOCKS, 0, 0, true},
		{"no resident set", RLIMIT_RSS, 0, 0, true},
		{"no core", RLIMIT_CORE, 0, 0, true},
	};

	for (size_t i = 0; i < COUNT(limits); i++) {
		struct limit limit = limits[i];

		for (bool last = false; !last; limit.from = limit.from * 2) {
			const struct call call = {
				.about = limit.about, .argv = argv, .as_caller = set_limit, .context = &limit};
			bool granted = expect_all_or_nothing(&call, bridge);

			last = limit.from >= limit.to;
			if (!granted && (limit.always_works || (last && limits[i].from < limit.to)))
				fail_msg("%s %lu: no grant", limit.about, (unsigned long)limit.from);
		}
	}
}

/*
 *	alice (under a hard limit) --- tap or nothing --- br0; lab, with a guard; tap1, without a bridge
 */
static void test_hard_limits(void **state)
{
	(void)state;
	prepare_br0();
	check_hard_limits(ARGS("--br=br0", FD), "br0");
	if (!have_program("nft"))
		return;
	make_network("lab", "nat");
	make_network("tap1", "standalone");
	write_policy("allow all\nnetwork lab nat 172.16.2.1/24\nnetwork tap1 standalone 172.16.4.1/24 fd00:4::1/64\n");
	check_hard_limits(ARGS("--br=lab", FD), "lab");
	check_hard_limits(ARGS("--br=tap1", FD), NULL);
}

/*
 *	alice (under a soft limit) --- tap --- br0
 *
 * A soft limit that lets the program start at all makes no difference.
 */
static void test_soft_limits(void **state)
{
	static const struct limit limits[] = {
		{"file descriptors", RLIMIT_NOFILE, 4, 4, true}, /* the dynamic linker needs one */
		{"no file size", RLIMIT_FSIZE, 0, 0, true},
		{"data", RLIMIT_DATA, 1 << 19, 1 << 19, true},
		{"core", RLIMIT_CORE, 0, 0, true},
	};

	(void)state;
	prepare_br0();
	for (size_t i = 0; i < COUNT(limits); i++)
		expect_grant(
			&(struct call){.about = limits[i].about, .as_caller = set_soft_limit, .context = &limits[i]},
			"br0");
}

/*
 *	alice (may write no file at all) --- not --- br1, with standard error in a file
 */
static void test_file_size_of_standard_error(void **state)
{
	const struct limit none = {"no file size", RLIMIT_FSIZE, 0, 0, true};
	char path[256];
	struct result result;
	struct stat file;

	(void)state;
	prepare_br0();
	snprintf(path, sizeof(path), "%s/errors", getenv("TMPDIR"));
	result = run(&(struct call){.about = "no file size, errors into a file",
		.argv = ARGS("--br=br1", FD),
		.error = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0666),
		.as_caller = set_limit,
		.context = &none});
	assert_nothing_sent(&result, 3);
	EXPECT(&result, stat(path, &file) == 0 && file.st_size == 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_hard_limits),
		TEST(test_soft_limits),
		TEST(test_file_size_of_standard_error),
	};

	return RUN_TESTS(tests);
}
