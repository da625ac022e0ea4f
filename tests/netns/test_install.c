// SPDX-License-Identifier: MIT
/*
 * A helper without its privilege, or where something lies about the loss of it: one line, and nothing done. (Ways to
 * install it: install.md. User namespaces: test_user_namespace.c.)
 */
#include "tests/netns/harness.h"

#include <errno.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* A copy of the helper in the world's own file system, owner and mode as they are said. */
static const char *install_copy(const char *owner, const char *mode)
{
	static char path[256];

	snprintf(path, sizeof(path), "%s/helper", getenv("TMPDIR"));
	command("cp $HELPER %s && chown %s %s && chmod %s %s", path, owner, path, mode, path);
	return path;
}

#define MISSING                                                                                                        \
	"no CAP_NET_ADMIN: the setuid bit is missing, or had no effect; an administrator can run: tapgate check "      \
	"--live, or for the service: systemctl enable --now tapgate-helper.socket\n"
#define LACKING                                                                                                        \
	"root's programs lack it here; an administrator can run, in the same container or unit: tapgate check "        \
	"--live\n"

static void set_no_new_privs(const struct call *call)
{
	(void)call;
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

static void lose_net_admin(const struct call *call)
{
	(void)call;
	prctl(PR_CAPBSET_DROP, CAP_NET_ADMIN, 0, 0, 0);
}

/*
 *	alice --- not --- br0, by helpers that have no privilege
 */
static void test_ways_that_do_not(void **state)
{
	static const struct {
		const char *about, *owner, *mode, *capabilities;
		const struct user *user;
		void (*as_root)(const struct call *), (*as_caller)(const struct call *);
		const char *words;
	} rows[] = {
		{"no_new_privs", "root:root", "4755", NULL, &alice, NULL, set_no_new_privs,
			"started under no_new_privs"},
		{"no_new_privs and a file capability", "root:root", "755", "cap_net_admin=ep", &alice, NULL,
			set_no_new_privs, "started under no_new_privs"},
		{"no_new_privs and no bit", "root:root", "755", NULL, &alice, NULL, set_no_new_privs,
			"started under no_new_privs"},
		{"root without the capability", "root:root", "755", NULL, &root, lose_net_admin, NULL, LACKING},
		{"setuid where root lacks it", "root:root", "4755", NULL, &alice, lose_net_admin, NULL, LACKING},
	};

	(void)state;
	prepare_br0();
	if (!have_program("setcap"))
		return;
	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct call call = {.about = rows[i].about,
			.program = install_copy(rows[i].owner, rows[i].mode),
			.user = rows[i].user,
			.as_root = rows[i].as_root,
			.as_caller = rows[i].as_caller};

		if (rows[i].capabilities)
			command("setcap %s %s", rows[i].capabilities, call.program);
		expect_refusal(&call, 1, rows[i].words);
	}
}

/* The process becomes the tracer of its child, which goes on to be the helper; it ends as the helper ends. */
static void trace_helper(const struct call *call)
{
	pid_t child = fork();
	int status;

	(void)call;
	if (child == 0) {
		ptrace(PTRACE_TRACEME, 0, NULL, NULL);
		return;
	}
	while (waitpid(child, &status, 0) == child && WIFSTOPPED(status))
		ptrace(PTRACE_CONT, child, NULL, NULL);
	_exit(WIFEXITED(status) ? WEXITSTATUS(status) : 128);
}

/*
 *	alice --- not --- br0, by a setuid helper that she traces
 */
static void test_traced(void **state)
{
	(void)state;
	prepare_br0();
	expect_refusal(&(struct call){.about = "traced", .as_caller = trace_helper, .in_grandchild = true}, 1, MISSING);
}

/* --- filters that lie --------------------------------------------------------------------------------------------- */

enum { LIES_MAX = 12 };

struct lie {
	const char *about;
	int calls[LIES_MAX]; /* -1 ends the list */
	unsigned int error;  /* that they return; 0: that they worked */
};

/* Keep root's capabilities while the ids become the caller's: to load a filter without no_new_privs takes one. */
static void become_with_capabilities(const struct call *call)
{
	prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0);
	become(call->user);
}

static void load_lie(const struct call *call)
{
	const struct lie *lie = call->context;
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2];
	struct sock_filter code[2 * LIES_MAX + 2] = {BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0)};
	struct sock_fprog program = {.len = 1, .filter = code};

	if (syscall(SYS_capget, &header, data) < 0)
		_exit(124);
	data[0].effective = data[0].permitted;
	data[1].effective = data[1].permitted;
	if (syscall(SYS_capset, &header, data) < 0)
		_exit(124);
	for (size_t i = 0; lie->calls[i] >= 0; i++) {
		code[program.len++] =
			(struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned int)lie->calls[i], 0, 1);
		code[program.len++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | lie->error);
	}
	code[program.len++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) < 0)
		_exit(124);
}

/*
 *	alice --- not --- br0, by a setuid helper under a filter that says a call worked, and does nothing; or that it
 *	failed (systemd/systemd PR 8766, #5300, #32268: whatever fails, a line says so)
 *
 * Only root can load one that a setuid program keeps its privileges under; a container's manager may.
 */
static void test_filters_that_lie(void **state)
{
	static const struct lie lies[] = {
		{"setresuid", {SYS_setresuid, -1}, 0},
		{"setresgid", {SYS_setresgid, -1}, 0},
		{"both", {SYS_setresuid, SYS_setresgid, -1}, 0},
		{"all that set ids",
			{SYS_setresuid, SYS_setresgid, SYS_setuid, SYS_setgid, SYS_setreuid, SYS_setregid,
				SYS_setgroups, -1},
			0},
		{"capset", {SYS_capset, -1}, 0},
		{"capget", {SYS_capget, -1}, 0},
		{"setuid alone", {SYS_setuid, -1}, 0},
		{"setgid alone", {SYS_setgid, -1}, 0},
		{"getresuid", {SYS_getresuid, -1}, 0},
		{"prctl", {SYS_prctl, -1}, 0},
		{"seccomp", {SYS_seccomp, -1}, 0},
		{"seccomp and prctl", {SYS_seccomp, SYS_prctl, -1}, 0},
		{"everything",
			{SYS_setresuid, SYS_setresgid, SYS_setuid, SYS_setgid, SYS_capset, SYS_prctl, SYS_seccomp, -1},
			0},
		{"setresuid fails", {SYS_setresuid, -1}, EPERM},
		{"setresgid fails", {SYS_setresgid, -1}, EAGAIN},
		{"capset fails", {SYS_capset, -1}, EPERM},
		{"capget fails", {SYS_capget, -1}, ENOSYS},
		{"prctl fails", {SYS_prctl, -1}, EINVAL},
		{"seccomp fails", {SYS_seccomp, -1}, EINVAL},
		{"setrlimit fails", {SYS_setrlimit, SYS_prlimit64, -1}, EPERM},
		{"close_range fails", {SYS_close_range, -1}, ENOSYS},
	};

	(void)state;
	prepare_br0();
	for (size_t i = 0; i < COUNT(lies); i++) {
		char *before = snapshot();
		struct result result = run(&(struct call){.about = lies[i].about,
			.as_root = become_with_capabilities,
			.as_caller = load_lie,
			.context = &lies[i]});
		const char *line = strchr(result.errors, '\n');

		assert_nothing_sent(&result, 1);
		EXPECT(&result, result.errors_size == 0 || strncmp(result.errors, "tapgate-helper: ", 16) == 0);
		EXPECT(&result, result.errors_size == 0 || (line && line[1] == '\0'));
		/* Found out at once, and not only by what cannot be without it. */
		EXPECT(&result,
			strcmp(lies[i].about, "prctl") != 0 || strstr(result.errors, "cannot set no_new_privs"));
		assert_unchanged(before);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_ways_that_do_not),
		TEST(test_traced),
		TEST(test_filters_that_lie),
	};

	return RUN_TESTS(tests);
}
