// SPDX-License-Identifier: MIT
/*
 * What runs before main() has the environment to obey, and all of root's rights to do it with: the helper empties it
 * before the first constructor. Each test has the "obedient" helper as its control, which is linked without
 * helper/environment.c; and the ways to link it: libraries in it, shared, all of it static.
 */
#include "tests/netns/harness.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct {
	const char *about, *whole, *obedient;
} links[] = {
	{"as it is installed", "$HELPER", "built-obedient"},
	{"libraries in it", "inside-whole", "inside-obedient"},
	{"libraries shared", "shared-whole", "shared-obedient"},
	{"static", "static-whole", "static-obedient"},
};

/* For the shell: a program that was built for this test, or the installed helper. */
static const char *place(const char *file)
{
	static char text[256];

	if (file[0] == '$')
		return file;
	snprintf(text, sizeof(text), "\"$(dirname \"$(readlink -f /proc/$PPID/exe)\")/../helpers/%s\"", file);
	return text;
}

/* A copy of it for everybody to run. */
static const char *copy(const char *file, const char *mode)
{
	static const char path[] = "/run/tmp/helper";

	command("rm -f %s && cp %s %s && chmod %s %s", path, place(file), path, mode, path);
	return path;
}

static bool is_there(const char *file)
{
	if (shell_status("test -e %s", place(file)) == 0)
		return true;
	cannot_test("%s could not be linked here: no archives", file);
	return false;
}

/*
 *	root --- tap --- br0, by a helper without the setuid bit, so that the loader loads what the environment says
 */
static void test_constructor_of_a_library(void **state)
{
	const char *const preload[] = {"LD_PRELOAD=/run/tmp/tell.so", "NLCB=debug", "LD_BIND_NOW=1", NULL};

	(void)state;
	prepare_br0();
	command("cp %s /run/tmp/", place("tell.so"));
	for (size_t i = 0; i < COUNT(links); i++) {
		struct call call = {.about = links[i].about, .user = &root, .envp = preload};

		if (strcmp(links[i].about, "static") == 0 || !is_there(links[i].whole))
			continue; /* a static program loads nothing */
		call.program = copy(links[i].whole, "755");
		expect_grant(&call, "br0");
		assert_string_equal(first_line("/run/tmp/told"), "0 0");
		call.program = copy(links[i].obedient, "755");
		expect_grant(&call, "br0");
		assert_string_equal(first_line("/run/tmp/told"), "3 3");
	}
}

/*
 *	alice --- tap --- br0, by a setuid helper, with words for the constructor of libnl-3 (lib/socket.c)
 */
static void test_words_for_libnl(void **state)
{
	static const char *const words[] = {"NLCB=x", "NLCB=debug", "NLCB=verbose", "NLCB=custom", "NLCB=", "NLDBG=9"};

	(void)state;
	prepare_br0();
	for (size_t i = 0; i < COUNT(links); i++) {
		struct call call = {.about = links[i].about};
		struct result result;

		if (!is_there(links[i].whole))
			continue;
		call.program = copy(links[i].whole, "4755");
		for (size_t j = 0; j < COUNT(words); j++) {
			const char *const one[] = {words[j], NULL};

			call.envp = one;
			expect_grant(&call, "br0"); /* and standard error is empty */
		}
		call.program = copy(links[i].obedient, "4755");
		call.envp = (const char *const[]){"NLCB=x", NULL};
		result = run(&call);
		EXPECT(&result, strstr(result.errors, "Unknown value for NLCB") != NULL);
		give_back(&result);
	}
}

/*
 *	alice --- tap --- br0, by a setuid helper as with a C library that knows no .preinit_array (musl)
 *
 * The first of the program's own constructors comes before that of a library that is in it, and not before that of one
 * that is shared.
 */
static void test_without_preinit_array(void **state)
{
	static const struct {
		const char *file;
		bool writes;
	} rows[] = {{"inside-late", false}, {"static-late", false}, {"shared-late", true}};

	(void)state;
	prepare_br0();
	for (size_t i = 0; i < COUNT(rows); i++) {
		const char *const unknown[] = {"NLCB=x", NULL};
		struct call call = {.about = rows[i].file, .envp = unknown};
		struct result result;

		if (!is_there(rows[i].file))
			continue;
		call.program = copy(rows[i].file, "4755");
		result = run(&call);
		EXPECT(&result, (result.errors_size > 0) == rows[i].writes);
		assert_tap(&result, "br0");
		give_back(&result);
	}
}

/* Whether a process stands in a system call whose first argument is standard error: writing. Waits for that. */
static bool stands_writing(struct running *running)
{
	struct pollfd end = {.fd = running->pidfd, .events = POLLIN};

	for (int left = SOON; left > 0; left -= 10) {
		const char *argument = strchr(first_line("/proc/%d/syscall", running->pid), ' ');

		if (argument && strncmp(argument, " 0x2 ", 5) == 0)
			return true;
		if (poll(&end, 1, 10) != 0)
			return false;
	}
	return false;
}

/*
 *	alice --- tap --- br0, by a setuid helper whose standard error is a pipe that is full
 */
static void test_full_pipe(void **state)
{
	const char *const unknown[] = {"NLCB=x", NULL};

	(void)state;
	prepare_br0();
	for (size_t i = 0; i < COUNT(links); i++) {
		struct call call = {.about = links[i].about, .envp = unknown, .patience = SOON};
		struct running running;
		struct result result;

		if (!is_there(links[i].whole))
			continue;
		call.error = full_pipe();
		call.program = copy(links[i].whole, "4755");
		result = run(&call);
		assert_tap(&result, "br0");
		give_back(&result);

		/* The control holds the process, root's and able to do all, for as long as she likes. */
		call.program = copy(links[i].obedient, "4755");
		running = start(&call);
		assert_true(stands_writing(&running));
		assert_int_equal(shell_status("grep -q '^Uid:\t1000\t0\t0\t0$' /proc/%d/status && "
					      "grep -qE '^CapEff:\t0000[0-9a-f]{7}fffff$' /proc/%d/status",
					 running.pid, running.pid),
			0);
		kill(running.pid, SIGKILL);
		result = finish(&running);
		assert_nothing_sent(&result, 128 + SIGKILL);
	}
}

/* Of shared libraries the helper that was linked with archives needs the C library alone. */
static void test_libraries(void **state)
{
	static const char list[] = "readelf -W -d %s | sed -n 's/.*(NEEDED).*\\[\\(.*\\)\\].*/\\1/p' | "
				   "grep -vE '^(libc\\.so\\.6|libc\\.musl-.*|ld-.*)$' | sort | tr '\\n' ' '";

	(void)state;
	if (!have_program("readelf"))
		return;
	assert_string_equal(command_line(list, copy("shared-whole", "755")), "libcap-ng.so.0 libnl-3.so.200 ");
	if (is_there("inside-whole"))
		assert_string_equal(command_line(list, copy("inside-whole", "755")), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_constructor_of_a_library),
		TEST(test_words_for_libnl),
		TEST(test_without_preinit_array),
		TEST(test_full_pipe),
		TEST(test_libraries),
	};

	return RUN_TESTS(tests);
}
