// SPDX-License-Identifier: MIT
/*
 * Tests of `include`: which files make a policy, where a refusal is told, what a hidden file means, and the bounds on
 * depth, files and bytes. The files live in tables; that real files are trustworthy is the helper's concern.
 */
#include "tests/unit/test_policy.h"

static void test_includes(void **state)
{
	static const struct {
		struct memory_file files[5];
		const char *error;
	} rows[] = {
		{{FILE_OF("/p", "include /q\n"), FILE_OF("/q", "allow br0\n"), END_OF_FILES}, ""},
		{{FILE_OF("/p", "include /q\n"), FILE_OF("/q", ""), END_OF_FILES}, ""},
		{{FILE_OF("/p", "include /q\ninclude /q\n"), FILE_OF("/q", "allow br0\n"), END_OF_FILES}, ""},
		{{FILE_OF("/p", "\tinclude \t /a b  c.conf\t \n"), FILE_OF("/a b  c.conf", "allow br0\n"),
			 END_OF_FILES},
			""},
		{{FILE_OF("/p", "include /a #b\n"), FILE_OF("/a #b", ""), END_OF_FILES}, ""},
		{{FILE_OF("/p", "include /q\n"), FILE_HIDDEN("/q"), END_OF_FILES}, ""},
		{{FILE_HIDDEN("/p"), END_OF_FILES}, ""},
		{{FILE_OF("/p", "include\n"), END_OF_FILES}, "/p:1:8: no path, expected the absolute path of a file"},
		{{FILE_OF("/p", "include  \n"), END_OF_FILES},
			"/p:1:10: no path, expected the absolute path of a file"},
		{{FILE_OF("/p", "include q\n"), FILE_OF("q", ""), END_OF_FILES},
			"/p:1:9: relative path, expected the absolute path of a file"},
		{{FILE_OF("/p", "include ./q\n"), FILE_OF("./q", ""), END_OF_FILES},
			"/p:1:9: relative path, expected the absolute path of a file"},
		{{FILE_OF("/p", "include \"/q\"\n"), FILE_OF("/q", ""), END_OF_FILES},
			"/p:1:9: relative path, expected the absolute path of a file"},
		{{FILE_OF("/p", "allow br0\ninclude /q\n"), END_OF_FILES}, "/p:2:9: cannot include '/q': no such file"},
		{{FILE_REFUSED("/p", "no such file"), END_OF_FILES}, "/p: no such file"},
		{{FILE_OF("/p", "include /q\n"), FILE_REFUSED("/q", "others can write it"), END_OF_FILES},
			"/p:1:9: cannot include '/q': others can write it"},
		{{FILE_OF("/p", "include /a b\n"), FILE_REFUSED("/a b", "not root's"), END_OF_FILES},
			"/p:1:9: cannot include '/a b': not root's"},
		{{FILE_OF("/p", "include /it's\n"), END_OF_FILES}, "/p:1:9: cannot include '/it\\x27s': no such file"},
		{{FILE_OF("/p", "\n  include /q\n"), FILE_OF("/q", "allow br0\nalow br0\n"), END_OF_FILES},
			"/q:2:1: unknown word 'alow', expected 'allow', 'deny', 'include', 'network', 'guest', 'forward' or '#'"},
		{{FILE_OF("/p", "include /q\n"), FILE_OF("/q", "allow br0"), END_OF_FILES},
			"/q:1:10: file ends inside a line, expected a newline (the file may be cut short; if it is "
			"whole: echo >>'/q')"},
		{{FILE_OF("/p", "include /q\nallow\n"), FILE_OF("/q", "\n\n\n"), END_OF_FILES},
			"/p:2:6: no network, expected a name or 'all'"},
		{{FILE_OF("/p", "include /q\t\t\nallow br0\r\n"), FILE_OF("/q", "\n"), END_OF_FILES},
			"/p:2:10: carriage return, expected lines that end in a newline alone"},
		{{FILE_OF("/p", "include /q"), FILE_OF("/q", "\n"), END_OF_FILES},
			"/p:1:11: file ends inside a line, expected a newline (the file may be cut short; if it is "
			"whole: echo >>'/p')"},
		{{FILE_OF("/p", "include /q\0x\n"), FILE_OF("/q", "\n"), END_OF_FILES},
			"/p:1:11: byte 0x00, expected printable ASCII"},
		{{FILE_OF("/p", "include /p\n"), END_OF_FILES},
			"/p:1:9: cannot include '/p': the file includes itself"},
		{{FILE_OF("/p", "include /q\n"), FILE_OF("/q", "\n\tinclude /p\n"), END_OF_FILES},
			"/q:2:10: cannot include '/p': the file includes itself"},
		{{FILE_OF("/p", "include /q\n"), FILE_OF("/q", "include /r\n"), FILE_OF("/r", "include /q\n"),
			 END_OF_FILES},
			"/r:1:9: cannot include '/q': the file includes itself"},
		{{FILE_OF("/p", "include /q\nnetwork a bridged\n"), FILE_OF("/q", "network a bridged\n"), END_OF_FILES},
			"/p:2:9: network 'a' for the second time, expected it once (first at /q:1)"},
		{{FILE_OF("/p", "include /q\ninclude /q\n"), FILE_OF("/q", "network a bridged\n"), END_OF_FILES},
			"/q:1:9: network 'a' for the second time, expected it once (first at /q:1)"},
	};
	unsigned int wrong = 0;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct memory_file *last = rows[i].files;
		char error[512];

		policy_free(memory_load(rows[i].files, error));
		while (last[1].path)
			last++;
		wrong += differ(rows[i].files->text ? rows[i].files->text : "", rows[i].files->size, last->path,
			rows[i].error, error);
	}
	assert_int_equal(wrong, 0);
}

/* The files of a directory: those of *.conf, in the order of their names, each as if it were included by its name. */
static void test_directories(void **state)
{
#define ONCE "' for the second time, expected it once (first at "
	static const struct {
		struct memory_file files[6];
		const char *error;
	} rows[] = {
		{{FILE_OF("/p", "include /d/*.conf\n"), FILE_OF("/d/", "a.conf\0"), FILE_OF("/d/a.conf", "x\n"),
			 END_OF_FILES},
			"/d/a.conf:1:1: unknown word 'x', expected 'allow', 'deny', 'include', 'network', 'guest', 'forward' or '#'"},
		/* Sorted by bytes, whatever order the directory has; a shorter name before a longer one. */
		{{FILE_OF("/p", "include /d/*.conf\n"), FILE_OF("/d/", "10.conf\0b.conf\0B.conf\0"),
			 FILE_OF("/d/b.conf", "network n internal\n"), FILE_OF("/d/10.conf", "network m internal\n"),
			 FILE_OF("/d/B.conf", "network m internal\n"), END_OF_FILES},
			"/d/B.conf:1:9: network 'm" ONCE "/d/10.conf:1)"},
		{{FILE_OF("/p", "include /d/*.conf\n"), FILE_OF("/d/", "a.conf.conf\0a.conf\0"),
			 FILE_OF("/d/a.conf", "network m internal\n"),
			 FILE_OF("/d/a.conf.conf", "network m internal\n"), END_OF_FILES},
			"/d/a.conf.conf:1:9: network 'm" ONCE "/d/a.conf:1)"},
		/* What editors and package managers leave is none; nor are hidden files, nor the end alone. */
		{{FILE_OF("/p", "include /d/*.conf\n"),
			 FILE_OF("/d/", ".\0..\0.a.conf\0a.conf~\0a.conf.dpkg-old\0a.CONF\0.conf\0conf\0a\0"),
			 END_OF_FILES},
			""},
		{{FILE_OF("/p", "\tinclude /a b/*.conf\t \nallow br0\n"), FILE_OF("/a b/", ""), END_OF_FILES}, ""},
		{{FILE_OF("/p", "include /*.conf\n"), FILE_OF("/", "a b.conf\0"), FILE_OF("/a b.conf", "allow br0\n"),
			 END_OF_FILES},
			""},
		{{FILE_OF("/p", "include /d/*.conf\n"), FILE_HIDDEN("/d/"), END_OF_FILES}, ""},
		{{FILE_OF("/p", "include /d/*.conf\n"), END_OF_FILES}, "/p:1:9: cannot include '/d/': no such file"},
		{{FILE_OF("/p", "include /d/*.conf\n"), FILE_REFUSED("/d/", "others can write it"), END_OF_FILES},
			"/p:1:9: cannot include '/d/': others can write it"},
		{{FILE_OF("/p", "include /d/*.conf\n"), FILE_OF("/d/", "a.conf\0"), END_OF_FILES},
			"/p:1:9: cannot include '/d/a.conf': no such file"},
		{{FILE_OF("/p", "include /d/*.conf\n"), FILE_OF("/d/", "a.conf\0"),
			 FILE_OF("/d/a.conf", "\ninclude /d/*.conf\n"), END_OF_FILES},
			"/d/a.conf:2:9: cannot include '/d/a.conf': the file includes itself"},
		{{FILE_OF("/p", "include /d/\n"), FILE_OF("/d/", ""), END_OF_FILES},
			"/p:1:9: directory, expected a file, or the files of a directory as in /etc/tapgate.d/*.conf"},
#define PATTERN "/p:1:9: pattern, expected a file, or the files of a directory as in /etc/tapgate.d/*.conf"
		{{FILE_OF("/p", "include /d/*\n"), FILE_OF("/d/", ""), END_OF_FILES}, PATTERN},
		{{FILE_OF("/p", "include /d/a*.conf\n"), FILE_OF("/d/", ""), END_OF_FILES}, PATTERN},
		{{FILE_OF("/p", "include /*/*.conf\n"), FILE_OF("/*/", ""), END_OF_FILES}, PATTERN},
		{{FILE_OF("/p", "include /d/*.conf*\n"), FILE_OF("/d/", ""), END_OF_FILES}, PATTERN},
	};
	unsigned int wrong = 0;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct memory_file *file = rows[i].files;
		char error[512];

		policy_free(memory_load(file, error));
		wrong += differ(file->text, file->size, "", rows[i].error, error);
	}
	assert_int_equal(wrong, 0);
}

/* As many files as a policy has, and no more. */
static void test_directory_of_many(void **state)
{
	static char names[POLICY_FILES_MAX + 1][8], paths[POLICY_FILES_MAX + 1][12];
	static struct memory_file files[POLICY_FILES_MAX + 4];
	char error[512];

	(void)state;
	for (size_t count = POLICY_FILES_MAX - 1; count <= POLICY_FILES_MAX; count++) {
		files[0] = (struct memory_file)FILE_OF("/p", "include /d/*.conf\n");
		files[1] = (struct memory_file){"/d/", names[0], count * sizeof(names[0]), POLICY_READ};
		for (size_t i = 0; i < count; i++) {
			snprintf(names[i], sizeof(names[i]), "%02zu.conf", i);
			snprintf(paths[i], sizeof(paths[i]), "/d/%.8s", names[i]);
			files[2 + i] = (struct memory_file)FILE_OF(paths[i], "allow br0\n");
		}
		files[2 + count] = (struct memory_file)END_OF_FILES;
		policy_free(memory_load(files, error));
		assert_string_equal(error,
			count < POLICY_FILES_MAX ? "" : "/p:1:9: cannot include '/d/63.conf': more than 64 files");
	}
}

/* Two names of one file are one file: a loop is known by the file, not by its name. */
static enum policy_read read_one_file(
	void *context, const char *path, size_t limit, struct policy_file *file, struct policy_why *why)
{
	(void)context, (void)path, (void)limit, (void)why;
	*file = (struct policy_file){strdup("include /other\n"), 15, 7, 8};
	assert_non_null(file->text);
	return POLICY_READ;
}

static void test_loop_by_another_name(void **state)
{
	const struct policy_reader reader = {read_one_file, NULL, NULL};
	struct policy_error error;
	char text[512];

	(void)state;
	assert_null(policy_load(&reader, "/p", &error));
	policy_error_print(&error, text, sizeof(text));
	assert_string_equal(text, "/p:1:9: cannot include '/other': the file includes itself");
}

/*
 * A last line without a newline may be the rest of a longer one, which says less: no file may end so. But QEMU's own
 * bridge.conf, as NixOS and people write it (NixOS/nixpkgs, virtualisation.libvirtd.allowedBridges), may with a rule
 * that QEMU's helper takes: by that it grants as much.
 */
static void test_last_line(void **state)
{
#define CUT(path) "(the file may be cut short; if it is whole: echo >>'" path "')"
	static const struct {
		struct memory_file files[3];
		const char *error;
	} rows[] = {
		{{FILE_OF("/p", "include /etc/qemu/bridge.conf\n"), FILE_OF("/etc/qemu/bridge.conf", "allow br0"),
			 END_OF_FILES},
			""},
		{{FILE_OF("/p", "include /x/bridge.conf\nallow br1\n"),
			 FILE_OF("/x/bridge.conf", "# all\nallow br0\n deny\tbr1 \t"), END_OF_FILES},
			""},
		{{FILE_OF("/bridge.conf", "allow all"), END_OF_FILES}, ""},
		{{FILE_OF("/p", "include /x/bridge.conf\n"), FILE_OF("/x/bridge.conf", "allow br0 user=alice"),
			 END_OF_FILES},
			"/x/bridge.conf:1:21: file ends inside a line, expected a newline " CUT("/x/bridge.conf")},
		{{FILE_OF("/p", "include /x/bridge.conf\n"), FILE_OF("/x/bridge.conf", "allow br0 isolated"),
			 END_OF_FILES},
			"/x/bridge.conf:1:19: file ends inside a line, expected a newline " CUT("/x/bridge.conf")},
		{{FILE_OF("/p", "include /x/bridge.conf\n"), FILE_OF("/x/bridge.conf", "allow br0\n# end"),
			 END_OF_FILES},
			"/x/bridge.conf:2:6: file ends inside a line, expected a newline " CUT("/x/bridge.conf")},
		{{FILE_OF("/p", "include /x/bridge.conf\n"), FILE_OF("/x/bridge.conf", "allow br0\ninclude /p"),
			 END_OF_FILES},
			"/x/bridge.conf:2:9: cannot include '/p': the file includes itself"},
		{{FILE_OF("/p", "include /x/bridge.conf\n"), FILE_OF("/x/bridge.conf", "allow br0\nal"), END_OF_FILES},
			"/x/bridge.conf:2:1: unknown word 'al', expected 'allow', 'deny', 'include', 'network', 'guest', 'forward' or '#'"},
		{{FILE_OF("/p", "include /x/bridge.conf\n"), FILE_OF("/x/bridge.conf", "allow"), END_OF_FILES},
			"/x/bridge.conf:1:6: no network, expected a name or 'all'"},
		{{FILE_OF("/p", "include /x/bridge.conf\n"), FILE_OF("/x/bridge.conf", "network a internal"),
			 END_OF_FILES},
			"/x/bridge.conf:1:19: file ends inside a line, expected a newline " CUT("/x/bridge.conf")},
		{{FILE_OF("/p", "include /x/bridge.conf"), FILE_OF("/x/bridge.conf", "allow br0"), END_OF_FILES},
			"/p:1:23: file ends inside a line, expected a newline " CUT("/p")},
		{{FILE_OF("/my-bridge.conf", "allow br0"), END_OF_FILES},
			"/my-bridge.conf:1:10: file ends inside a line, expected a newline " CUT("/my-bridge.conf")},
	};
	unsigned int wrong = 0;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct memory_file *file = &rows[i].files[rows[i].files[1].path != NULL];
		char error[512];

		policy_free(memory_load(rows[i].files, error));
		wrong += differ(file->text, file->size, file->path, rows[i].error, error);
	}
	assert_int_equal(wrong, 0);
}

/* What a file that the caller may not read would have said is not there, neither its allow nor its deny. */
static void test_hidden_files(void **state)
{
	static const struct memory_file files[] = {
		FILE_OF("/p", "include /first\nallow br0\ninclude /second\nallow br1\n"),
		FILE_HIDDEN("/first"),
		FILE_HIDDEN("/second"),
		END_OF_FILES,
	};
	static const struct memory_file top[] = {FILE_HIDDEN("/p"), END_OF_FILES};
	const struct policy_caller caller = {.uid = 1000};
	char error[512], got[512];
	struct policy *policy = memory_load(files, error);
	struct policy_verdict verdict;

	(void)state;
	assert_non_null(policy);
	verdict = policy_decide(policy, "br1", &caller);
	print_verdict(&verdict, got, sizeof(got));
	assert_string_equal(got, "allowed /p:4 (allow br1) hidden=/first");
	policy_free(policy);

	policy = memory_load(top, error);
	assert_non_null(policy);
	verdict = policy_decide(policy, "br1", &caller);
	print_verdict(&verdict, got, sizeof(got));
	assert_string_equal(got, "no rule hidden=/p");
	policy_free(policy);
}

/* /1 includes /2 includes /3 and so on, count files in all. */
static void load_chain(unsigned int count, char error[static 512])
{
	struct memory_file files[POLICY_DEPTH_MAX + 3] = {END_OF_FILES};
	char paths[POLICY_DEPTH_MAX + 2][16], texts[POLICY_DEPTH_MAX + 2][32];

	assert_true(count + 1 < COUNT(files));
	for (unsigned int i = 0; i < count; i++) {
		snprintf(paths[i], sizeof(paths[i]), "/%u", i + 1);
		snprintf(texts[i], sizeof(texts[i]), i + 1 < count ? "include /%u\n" : "allow br%u\n", i + 2);
		files[i] = (struct memory_file){paths[i], texts[i], strlen(texts[i]), POLICY_READ};
	}
	policy_free(memory_load(files, error));
}

static void test_depth(void **state)
{
	char error[512];

	(void)state;
	load_chain(8, error);
	assert_string_equal(error, "");
	load_chain(9, error);
	assert_string_equal(error, "/8:1:9: cannot include '/9': more than 8 files inside one another");
}

static void test_how_many_files(void **state)
{
	char text[1024] = "", error[512];
	const struct memory_file included = FILE_OF("/q", "allow br0\n");

	(void)state;
	for (int i = 1; i < POLICY_FILES_MAX; i++)
		text_append(text, sizeof(text), "include /q\n");
	struct memory_file files[] = {{"/p", text, strlen(text), POLICY_READ}, included, END_OF_FILES};
	policy_free(memory_load(files, error));
	assert_string_equal(error, "");
	text_append(text, sizeof(text), "include /q\n");
	files[0].size = strlen(text);
	policy_free(memory_load(files, error));
	assert_string_equal(error, "/p:64:9: cannot include '/q': more than 64 files");
}

/* The bound is on all files together, each include counted. */
static void test_how_many_bytes(void **state)
{
	static const char top[] = "include /q\n\n";
	size_t size = POLICY_BYTES_MAX - (sizeof(top) - 1);
	char *text = malloc(size + 1), error[512];

	(void)state;
	assert_non_null(text);
	memset(text, '\n', size + 1);
	struct memory_file files[] = {{"/p", TEXT(top), POLICY_READ}, {"/q", text, size, POLICY_READ}, END_OF_FILES};
	policy_free(memory_load(files, error));
	assert_string_equal(error, "");
	files[1].size = size + 1;
	policy_free(memory_load(files, error));
	assert_string_equal(error, "/p:1:9: cannot include '/q': more than 4194304 bytes in all");
	files[1].size = size / 3 + 1;
	files[0] = (struct memory_file)FILE_OF("/p", "include /q\ninclude /q\ninclude /q\n");
	policy_free(memory_load(files, error));
	assert_string_equal(error, "/p:3:9: cannot include '/q': more than 4194304 bytes in all");
	free(text);
}

/* A path as long as a line allows: the message is cut, but whole. */
static void test_long_path(void **state)
{
	char text[POLICY_LINE_MAX + 2], error[512];

	(void)state;
	memset(text, 'x', sizeof(text));
	memcpy(text, "include /", 9);
	text[POLICY_LINE_MAX] = '\n';
	policy_free(memory_load_text(text, POLICY_LINE_MAX + 1, error));
	assert_string_equal(error, "/p:1:9: cannot include "
				   "'/xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx...': "
				   "no such file");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_includes),
		cmocka_unit_test(test_directories),
		cmocka_unit_test(test_directory_of_many),
		cmocka_unit_test(test_loop_by_another_name),
		cmocka_unit_test(test_last_line),
		cmocka_unit_test(test_hidden_files),
		cmocka_unit_test(test_depth),
		cmocka_unit_test(test_how_many_files),
		cmocka_unit_test(test_how_many_bytes),
		cmocka_unit_test(test_long_path),
	};

	return cmocka_run_group_tests_name("policy: include", tests, NULL, NULL);
}
