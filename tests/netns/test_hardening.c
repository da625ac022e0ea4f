// SPDX-License-Identifier: MIT
/*
 * The installed helper as a file: the compiler's and linker's protections are in it, it needs no library that is not
 * meant, and its main() is still a list that one can read at a glance.
 */
#include "tests/netns/harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#else
#define SANITIZED 0
#endif

/* How many lines of a command's output match; the command must succeed. */
static unsigned int count_lines(const char *shell, const char *pattern)
{
	return (unsigned int)strtoul(command_line("%s | grep -c -E -e '%s' || :", shell, pattern), NULL, 10);
}

static bool is_static(void)
{
	return count_lines("readelf -W -d $HELPER", "\\(NEEDED\\)") == 0;
}

/* What our own part of it takes from libraries; those that are linked in have more, which is never called. */
#define OURS                                                                                                           \
	"cd \"$(dirname \"$(readlink -f /proc/$PPID/exe)\")/../..\" && nm -u helper/*.o policy/*.o judge/*.o link/*.o"

/* Properties of the file: a command, a pattern, and how often it must be there. */
static void test_file(void **state)
{
	static const struct {
		const char *about, *shell, *pattern;
		bool there;
	} rows[] = {
		{"position independent", "readelf -W -h $HELPER", "Type: +DYN", true},
		{"said to be so", "readelf -W -d $HELPER", "FLAGS_1.* PIE", true},
		{"relocations are read-only", "readelf -W -l $HELPER", "GNU_RELRO", true},
		{"all of them, from the start", "readelf -W -d $HELPER", "FLAGS.* (BIND_NOW|NOW)", true},
		{"the stack is marked", "readelf -W -l $HELPER", "GNU_STACK", true},
		{"and does not execute", "readelf -W -l $HELPER", "GNU_STACK.* RWE ", false},
		{"nothing is writable and executable", "readelf -W -l $HELPER", "LOAD.* RWE ", false},
		{"code is apart from data", "readelf -W -l $HELPER", "LOAD.* R E ", true},
		{"no text relocations", "readelf -W -d $HELPER", "TEXTREL", false},
		{"no search path for libraries", "readelf -W -d $HELPER", "RPATH|RUNPATH", false},
		{"no chance of the vDSO's, whose setting up takes calls that the sandbox lacks (link/link.h)",
			"readelf -W -s $HELPER", " getrandom(@|$)", false},
		{"stack canaries", "readelf -W -s $HELPER", "__stack_chk_fail", true},
		{"checked string functions", "readelf -W -s $HELPER",
			"__(snprintf|vsnprintf|memcpy|read|readlinkat)_chk", true},
		{"no function that is never right", OURS,
			" (gets|strcpy|strcat|sprintf|vsprintf|system|popen|execl|execvp|getenv|tmpnam|mktemp|dlopen)$",
			false},
		{"no name service", OURS, " (getpw(nam|uid)|getgr(nam|gid)|getaddrinfo|initgroups)(_r)?$", false},
		{"names of functions are seen so", OURS, " (open|openat|fopen|fopen64|open64)$", true},
	};

	(void)state;
	if (SANITIZED || !have_program("readelf"))
		return;
	for (size_t i = 0; i < COUNT(rows); i++) {
		/* A static program has all of libc in it, and no table of what it takes from there. */
		if (strstr(rows[i].shell, " -s ") && is_static() && strcmp(rows[i].about, "stack canaries") != 0)
			continue;
		if ((count_lines(rows[i].shell, rows[i].pattern) > 0) != rows[i].there)
			fail_msg("%s: not so (%s)", rows[i].about, rows[i].shell);
	}
}

/* The flags that it was compiled with, where the compiler wrote them down. */
static void test_flags(void **state)
{
	static const char *const flags[] = {
		"-fstack-clash-protection",
		"-ftrivial-auto-var-init=zero",
		"-fstack-protector-strong",
		"-fPIE",
		"-fno-strict-overflow",
#ifdef __x86_64__
		"-fcf-protection",
#endif
	};

	(void)state;
	if (SANITIZED || !have_program("readelf"))
		return;
	if (count_lines("readelf -W -S $HELPER", "GCC.command.line") == 0) {
		cannot_test("this compiler does not write its flags into the program");
		return;
	}
	for (size_t i = 0; i < COUNT(flags); i++) {
		if (count_lines("readelf -W -p .GCC.command.line $HELPER", flags[i]) == 0)
			fail_msg("compiled without %s", flags[i]);
	}
}

/* Where a processor checks where indirect jumps lead, the functions say that they may be led to. */
static void test_branch_protection(void **state)
{
	(void)state;
	if (SANITIZED || !have_program("objdump"))
		return;
#if defined(__x86_64__) && defined(__CET__)
	assert_true(count_lines("objdump -d --disassemble=main $HELPER | grep -A1 '<main>:'", "endbr64") > 0);
#elif defined(__aarch64__) && defined(__ARM_FEATURE_BTI_DEFAULT)
	assert_true(count_lines("objdump -d --disassemble=main $HELPER | grep -A1 '<main>:'", "bti|paciasp") > 0);
#else
	print_message("           this compiler protects no branches on this processor\n");
#endif
}

/*
 * The C library; libnl's core and libcap-ng, where they are not linked in (test_constructors.c); in particular not
 * libnl-route-3, whose constructor reads files as root.
 */
static void test_libraries(void **state)
{
	(void)state;
	if (SANITIZED || !have_program("readelf") || is_static())
		return;
	assert_int_equal(count_lines("readelf -W -d $HELPER | grep NEEDED",
				 "\\[(libc\\.so\\.6|libc\\.musl-.*|libnl-3\\.so\\.200|libcap-ng\\.so\\.0|ld-[^]]*|"
				 "linux-vdso[^]]*)\\]"),
		count_lines("readelf -W -d $HELPER", "NEEDED"));
	assert_true(count_lines("readelf -W -d $HELPER", "NEEDED.*libnl-route") == 0);
	assert_true(count_lines("readelf -W -s $HELPER", " rtnl_") == 0);
}

/* Installed as it is meant: root's, setuid, writable by nobody else. */
static void test_mode(void **state)
{
	(void)state;
	assert_string_equal(command_line("stat -c '%%a %%u:%%g %%F' $HELPER"), "4755 0:0 regular file");
	if (have_program("getcap"))
		assert_string_equal(command_line("getcap $HELPER"), "");
}

/* main() is the list of guarantees, and fits a page. */
static void test_length_of_main(void **state)
{
	char path[512];
	char line[512];
	unsigned int lines = 0;
	bool inside = false;
	FILE *source;

	(void)state;
	/* build/tests/netns/test_hardening -> helper/main.c */
	snprintf(path, sizeof(path), "%s", command_line("readlink -f /proc/$PPID/exe"));
	if (!strstr(path, "/build/")) {
		cannot_test("the source is not beside the build");
		return;
	}
	strcpy(strstr(path, "/build/"), "/helper/main.c");
	source = fopen(path, "re");
	assert_non_null(source);
	while (fgets(line, sizeof(line), source)) {
		inside = inside || strncmp(line, "int main(", 9) == 0;
		lines += inside;
		inside = inside && line[0] != '}';
	}
	fclose(source);
	assert_true(lines >= 10 && lines <= 41);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_file),
		TEST(test_flags),
		TEST(test_branch_protection),
		TEST(test_libraries),
		TEST(test_mode),
		TEST(test_length_of_main),
	};

	return RUN_TESTS(tests);
}
