// SPDX-License-Identifier: MIT
/*
 * count: say what one run of a tap helper costs, exactly: instructions in user space, system calls, peak memory.
 *
 *	count [-c] COMMAND [ARGUMENT...]
 *
 * Runs COMMAND as an ordinary user (1000), traced by root: once from system call to system call, and, unless -c, once
 * more instruction by instruction (some 20 microseconds each). Unlike valgrind that works for a setuid program under
 * a seccomp filter of its own; unlike perf it needs no counters in the machine. Every turn of a repeated string
 * instruction traps; all of them are counted as one where the address tells (x86-64), as the processor would.
 * Memory is the VmHWM of the program's own address space as it exits; wait4's ru_maxrss would begin with what the
 * launching process had.
 *
 * Prints instructions (with -c "-"), system calls and KiB, separated by tabs. Fails if a run does not deliver a tap.
 * It must not be asked about programs that fork.
 */
#include "tests/bench/vmm.h"
#include <err.h>
#include <grp.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

struct cost {
	unsigned long instructions, calls, peak_kib;
};

enum { USER = 1000, SYSCALL_STOP = SIGTRAP | 0x80 /* with PTRACE_O_TRACESYSGOOD */ };

/* Start the command, stopped before its exec, as the user but traced with root's rights: so setuid counts. */
static pid_t start(char **command, int remote)
{
	pid_t pid = fork();

	if (pid < 0)
		err(1, "fork");
	if (pid == 0) {
		if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) < 0 || setgroups(0, NULL) < 0 ||
			setresgid(USER, USER, USER) < 0 || setresuid(USER, USER, USER) < 0)
			err(127, "becoming user %d, traced", USER);
		if (dup2(remote, HELPER_FD) < 0 || (remote != HELPER_FD && close(remote) < 0))
			err(127, "dup2");
		raise(SIGSTOP);
		execv(command[0], command);
		err(127, "%s", command[0]);
	}
	return pid;
}

static unsigned long peak_kib(pid_t pid)
{
	unsigned long kib = 0;
	char line[256];

	snprintf(line, sizeof(line), "/proc/%d/status", pid);
	FILE *status = fopen(line, "re");
	if (!status)
		err(1, "%s", line);
	while (fgets(line, sizeof(line), status))
		if (sscanf(line, "VmHWM: %lu", &kib) == 1)
			break;
	fclose(status);
	return kib;
}

/* Is the program still at the instruction of the last stop: the next turn of a repeated one? */
static bool repeats(pid_t pid)
{
#ifdef __x86_64__
	static long last;
	long address = ptrace(PTRACE_PEEKUSER, pid, offsetof(struct user, regs.rip), NULL);
	bool same = address == last;

	last = address;
	return same;
#else
	(void)pid;
	return false;
#endif
}

/* The event of a stop, or 0: see ptrace(2), PTRACE_SETOPTIONS. */
static int event_of(int status)
{
	return status >> 16;
}

/* Follow the program from its exec to its exit, by the given kind of step. */
static void follow(pid_t pid, bool by_instruction, struct cost *cost)
{
	bool running = false, entry = false;
	long signal = 0;
	int status;

	while (waitpid(pid, &status, 0) == pid && WIFSTOPPED(status)) {
		int sig = WSTOPSIG(status);

		signal = 0;
		if (event_of(status) == PTRACE_EVENT_EXEC)
			running = entry = true; /* within execve: its exit is the next stop */
		else if (event_of(status) == PTRACE_EVENT_EXIT)
			cost->peak_kib = peak_kib(pid);
		else if (sig == SYSCALL_STOP && running)
			cost->calls += (entry = !entry);
		else if (sig == SIGTRAP && running && by_instruction)
			cost->instructions += !repeats(pid);
		else if (sig != SIGTRAP && sig != SIGSTOP && sig != SYSCALL_STOP)
			signal = sig;
		ptrace(running && by_instruction ? PTRACE_SINGLESTEP : PTRACE_SYSCALL, pid, NULL, signal);
	}
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		errx(1, "the helper failed, wait status %#x", (unsigned int)status);
}

/* Run the command once, traced, and take what it delivers. */
static void run(char **command, bool by_instruction, struct cost *cost)
{
	const long wanted = PTRACE_O_EXITKILL | PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEEXEC | PTRACE_O_TRACEEXIT;
	char name[IFNAMSIZ];
	int pair[2], status;

	/* The peer that the helper sees is whoever made the pair. */
	if (seteuid(USER) < 0)
		err(1, "becoming user %d", USER);
	make_pair(pair);
	if (seteuid(0) < 0)
		err(1, "becoming root");
	pid_t pid = start(command, pair[1]);
	close(pair[1]);
	if (waitpid(pid, &status, 0) < 0 || !WIFSTOPPED(status) || ptrace(PTRACE_SETOPTIONS, pid, NULL, wanted) < 0 ||
		ptrace(PTRACE_CONT, pid, NULL, 0) < 0)
		err(1, "ptrace");
	follow(pid, by_instruction, cost);
	int tap = receive_descriptor(pair[0]);
	if (tap < 0 || tap_name(tap, name) < 0)
		errx(1, "the helper exited with 0, and did not deliver a tap");
	close(tap);
	close(pair[0]);
}

/* Stay on one processor, and the traced with us: waking another one up for every step takes several times as long. */
static void stay(void)
{
	cpu_set_t here;

	CPU_ZERO(&here);
	CPU_SET((size_t)sched_getcpu(), &here);
	sched_setaffinity(0, sizeof(here), &here);
}

int main(int argc, char **argv)
{
	bool calls_only = argc > 1 && strcmp(argv[1], "-c") == 0;
	char **command = argv + (calls_only ? 2 : 1);
	struct cost cost = {0};

	if (argc < 2 || !*command)
		errx(2, "usage: count [-c] COMMAND [ARGUMENT...]");
	stay();
	run(command, false, &cost);
	if (calls_only)
		return printf("-\t%lu\t%lu\n", cost.calls, cost.peak_kib) < 0;
	run(command, true, &cost);
	printf("%lu\t%lu\t%lu\n", cost.instructions, cost.calls, cost.peak_kib);
	return 0;
}
