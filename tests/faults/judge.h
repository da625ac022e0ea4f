// SPDX-License-Identifier: MIT
/*
 * For run.c: what a run of the helper was to come to, and whether it did.
 *
 * An outcome is one of
 *
 *	grant	 exit 0, and one byte with one descriptor: of a tap that is up, on NETWORK, and signed with its alias
 *	refuse	 exit 1 to 5, nothing sent, one line on standard error
 *	silent	 exit 1 to 5, nothing sent, not a word
 *	stopped	 ended by the sandbox (SIGSYS), nothing sent
 *	killed	 ended by SIGKILL, nothing sent
 *	sent	 ended by SIGKILL after it had sent
 *	either	 grant or refuse
 *	any	 grant, refuse or stopped
 *	apart	 refuse, or ended by SIGKILL; and nothing was sent, or a whole grant: one that asks the service, when
 *		 that has the request already
 */
#ifndef TESTS_FAULTS_JUDGE_H
#define TESTS_FAULTS_JUDGE_H

#include <linux/if.h>
#include <linux/if_tun.h>
#include <pwd.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { TEXT_MAX = 65536 };

struct job {
	const char *user, *network, *outcome, *injection, *what;
	const char *way; /* setuid; serve: the service's process; ask: one without privilege, which asks it */
};

/* What came of a run. */
struct result {
	int status; /* as from waitpid */
	size_t bytes, descriptors;
	int tap; /* the first descriptor; -1: none */
	bool late;
};

/* The content of a file, or the output of a command, in a buffer of TEXT_MAX. */
static inline void slurp(FILE *file, char *text)
{
	size_t size = file ? fread(text, 1, TEXT_MAX - 1, file) : 0;

	if (!file) {
		perror("slurp");
		exit(2);
	}
	text[size] = '\0';
}

static inline void read_file(const char *path, char *text)
{
	FILE *file = fopen(path, "r");

	slurp(file, text);
	fclose(file);
}

static inline void read_command(const char *command, char *text)
{
	FILE *pipe = popen(command, "r");

	slurp(pipe, text);
	pclose(pipe);
}

/* On "br2" two are asked for. */
static inline size_t queues_of(const struct job *job)
{
	return strcmp(job->network, "br2") == 0 ? 2 : 1;
}

/*
 * The tap is what the policy grants: up, on the bridge or with its own addresses, and its alias says whose it is. Of
 * the networks that are used, "web" isolates its ports, and "tap1" and "cell" have no bridge.
 */
static inline bool is_full_grant(const struct job *job, const struct result *result)
{
	struct passwd *entry = getpwnam(job->user);
	struct ifreq tap = {0};
	char command[128], link[TEXT_MAX], master[64], alias[128];
	bool on_network;

	if (result->bytes != 1 || result->descriptors != queues_of(job) || ioctl(result->tap, TUNGETIFF, &tap) < 0)
		return false;
	snprintf(command, sizeof(command), "ip -d -o link show dev %.16s; ip -o addr show dev %.16s", tap.ifr_name,
		tap.ifr_name);
	snprintf(master, sizeof(master), " master %s ", job->network);
	snprintf(
		alias, sizeof(alias), "alias tapgate uid=%u net=%s vmm=%d", entry->pw_uid, job->network, (int)getpid());
	read_command(command, link);
	if (strcmp(job->network, "tap1") == 0 || strcmp(job->network, "cell") == 0)
		on_network = !strstr(link, " master ") && strncmp(tap.ifr_name, job->network, 4) == 0 &&
			     strstr(link, "inet 172.16.") &&
			     (strcmp(job->network, "cell") == 0 || strstr(link, "inet6 fd00:4::1/64"));
	else
		on_network =
			strstr(link, master) && !strstr(link, "inet") &&
			((strcmp(job->network, "web") != 0 && queues_of(job) == 1) || strstr(link, "isolated on")) &&
			(queues_of(job) == 1 || (strstr(link, "locked on") && strstr(link, " guard on") &&
							strstr(link, "learning off")));
	return on_network && strstr(link, ",UP") && strstr(link, alias);
}

/* Nothing sent, a code of its own, and one line (or none) in the file that is its standard error. */
static inline bool is_refusal(const struct result *result, const char *error_path, bool says_why)
{
	char error[TEXT_MAX];
	const char *newline;
	int code = WIFEXITED(result->status) ? WEXITSTATUS(result->status) : 0;

	if (result->bytes || result->descriptors || code < 1 || code > 5)
		return false;
	read_file(error_path, error);
	if (!says_why)
		return !error[0];
	newline = strchr(error, '\n');
	return strncmp(error, "tapgate-helper: ", 16) == 0 && newline && !newline[1];
}

static inline bool is_expected(const struct job *job, const struct result *result, const char *error_path)
{
	bool success = WIFEXITED(result->status) && WEXITSTATUS(result->status) == 0;
	int signal = WIFSIGNALED(result->status) ? WTERMSIG(result->status) : 0;
	bool nothing = !result->bytes && !result->descriptors;
	bool any = strcmp(job->outcome, "any") == 0;
	bool either = any || strcmp(job->outcome, "either") == 0;

	if (result->late)
		return false;
	if (strcmp(job->outcome, "apart") == 0)
		return (nothing || is_full_grant(job, result)) && !success;
	if (success)
		return (either || strcmp(job->outcome, "grant") == 0) && is_full_grant(job, result);
	if (strcmp(job->outcome, "killed") == 0)
		return signal == SIGKILL && nothing;
	if (strcmp(job->outcome, "stopped") == 0 || (any && signal))
		return signal == SIGSYS && nothing;
	if (strcmp(job->outcome, "sent") == 0)
		return signal == SIGKILL && is_full_grant(job, result);
	if (strcmp(job->outcome, "silent") == 0)
		return is_refusal(result, error_path, false);
	return (either || strcmp(job->outcome, "refuse") == 0) && is_refusal(result, error_path, true);
}

#endif
