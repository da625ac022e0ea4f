#include "cli/networks/dnsmasq.h"

#include <errno.h>
#include <grp.h>
#include <linux/if_addr.h>
#include <net/if.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "cli/clock.h"
#include "cli/networks/dnsmasq_drift.h"
#include "cli/networks/dnsmasq_files.h"
#include "cli/networks/dnsmasq_process.h"
#include "cli/networks/dnsmasq_run.h"
#include "cli/networks/dnsmasq_words.h"

enum { ADDRESS_PATIENCE = 2500 }; /* milliseconds; duplicate address detection takes up to 2 s (RFC 4862) */

/* --- what should run --------------------------------------------------------------------------------------------- */

bool dnsmasq_wanted(const struct policy_network *network)
{
	return (network->mode == MODE_NAT || network->mode == MODE_HOST_ONLY) && network->options.given & OPTION_DHCP;
}

static const char *find_program(void)
{
	static const char *const programs[] = {"/usr/sbin/dnsmasq", "/usr/bin/dnsmasq", "/usr/local/sbin/dnsmasq"};

	for (size_t i = 0; i < sizeof(programs) / sizeof(*programs); i++) {
		if (access(programs[i], X_OK) == 0)
			return programs[i];
	}
	return NULL;
}

/* With its own group, as dnsmasq takes "dip" where there is one. */
static bool find_account(struct dnsmasq_account *account)
{
	for (size_t i = 0; i < DNSMASQ_USERS; i++) {
		const struct passwd *user = getpwnam(dnsmasq_users[i]);
		const struct group *group = user && user->pw_uid != 0 ? getgrgid(user->pw_gid) : NULL;

		if (!group || strlen(group->gr_name) >= sizeof(account->group))
			continue;
		snprintf(account->user, sizeof(account->user), "%s", dnsmasq_users[i]);
		snprintf(account->group, sizeof(account->group), "%s", group->gr_name);
		return true;
	}
	return false;
}

/* The words that a network's should be started with. */
static bool plan(const struct policy_network *network, struct dnsmasq_words *words, char *why, size_t why_size)
{
	struct dnsmasq_account account;
	const char *program = find_program();
	unsigned int index = if_nametoindex(network->name);

	*why = '\0';
	if (!program)
		text_append(why, why_size,
			"there is no dnsmasq in /usr/sbin, /usr/bin or /usr/local/sbin; install the package "
			"'dnsmasq-base' (Debian, Ubuntu) or 'dnsmasq'");
	else if (!find_account(&account))
		text_append(why, why_size,
			"there is neither a user 'dnsmasq' nor a 'nobody', each with its group, to run dnsmasq as; add "
			"one, as dnsmasq's package does");
	else if (index == 0)
		text_append(why, why_size, "there is no interface '%s' for it to serve", network->name);
	else if (dnsmasq_words(words, program, &account, network, index))
		return true;
	else
		text_append(why, why_size, "its command line would be too long");
	return false;
}

enum dnsmasq_state dnsmasq_state(const struct policy_network *network)
{
	struct dnsmasq_process process;
	struct dnsmasq_words words;
	char why[256];

	if (!dnsmasq_lives(network->name, &process) || process.elsewhere)
		return DNSMASQ_ABSENT;
	if (!dnsmasq_wanted(network) || !plan(network, &words, why, sizeof(why)) ||
		!dnsmasq_has_words(&process, &words) || dnsmasq_lacks_files(network->name, &words))
		return DNSMASQ_DIFFERENT;
	return dnsmasq_is_deaf(network) ? DNSMASQ_DEAF : DNSMASQ_RUNNING;
}

/* --- starting ---------------------------------------------------------------------------------------------------- */

/* Whether one of an interface's IPv6 addresses is not yet its own: duplicate address detection goes on (RFC 4862). */
static bool has_tentative_address(unsigned int interface)
{
	enum { ADDRESS_DIGITS = 32, FIELDS = 4 }; /* index, prefix, scope, flags: if6_seq_show, net/ipv6/addrconf.c */
	FILE *file = fopen("/proc/self/net/if_inet6", "re");
	bool tentative = false;
	char line[128];

	while (file && fgets(line, sizeof(line), file) && strlen(line) > ADDRESS_DIGITS) {
		unsigned long fields[FIELDS];
		char *at = line + ADDRESS_DIGITS;

		for (size_t i = 0; i < FIELDS; i++)
			fields[i] = strtoul(at, &at, 16);
		tentative |= fields[0] == interface && fields[3] & IFA_F_TENTATIVE;
	}
	if (file)
		fclose(file);
	return tentative;
}

/*
 * Wait for the bridge's addresses, as dnsmasq misses one that becomes usable while it starts, and would not listen on
 * it. Not for long: without a carrier an address stays tentative, and dnsmasq hears of it when that comes.
 */
static void wait_for_addresses(unsigned int interface)
{
	const struct timespec pause = {.tv_nsec = 5000000};
	int64_t deadline = clock_milliseconds() + ADDRESS_PATIENCE;

	while (has_tentative_address(interface) && clock_milliseconds() < deadline)
		nanosleep(&pause, NULL);
}

/* Whether the pid file is in use by a dnsmasq of another network namespace, which must keep it and its leases. */
static bool is_taken(int directory, const char *name)
{
	struct dnsmasq_process process;

	if (!dnsmasq_find(directory, name, &process))
		return false;
	close(process.pidfd);
	return process.elsewhere;
}

/* Start it, with its words on record; none must run by now. */
static bool start(const char *name, struct dnsmasq_words *words, char *why, size_t why_size)
{
	char ignored[256];
	struct dnsmasq_account account;
	int directory = dnsmasq_directory(true, why, why_size);
	bool recorded = directory >= 0 && find_account(&account) &&
			dnsmasq_prepare(directory, name, account.user, why, why_size) &&
			dnsmasq_write_record(directory, name, words, why, why_size);

	if (directory >= 0)
		close(directory);
	if (!recorded)
		return false;
	wait_for_addresses(if_nametoindex(name));
	if (dnsmasq_run(words, why, why_size))
		return true;
	dnsmasq_stop(name, ignored, sizeof(ignored)); /* a daemon that came too late */
	return false;
}

bool dnsmasq_start(const struct policy_network *network, char *why, size_t why_size)
{
	struct dnsmasq_words words;
	int directory;
	pid_t pid;
	bool taken;

	if (!plan(network, &words, why, why_size))
		return false;
	directory = dnsmasq_directory(true, why, why_size);
	if (directory < 0)
		return false;
	taken = is_taken(directory, network->name);
	close(directory);
	if (taken) {
		text_append(why, why_size,
			"a dnsmasq of another network namespace uses " DNSMASQ_DIRECTORY "/%s.pid; give each namespace "
			"a /run of its own",
			network->name);
		return false;
	}
	pid = dnsmasq_pid(network->name);
	if (pid)
		dnsmasq_save_leases(network->name, pid);
	if (!dnsmasq_stop(network->name, why, why_size))
		return false;
	if (!start(network->name, &words, why, why_size))
		return false;
	if (dnsmasq_state(network) == DNSMASQ_RUNNING)
		return true;
	if (dnsmasq_stop(network->name, why, why_size))
		text_append(why, why_size, "it started, and ended at once; the system's log has its messages");
	return false;
}

/* --- the one before ---------------------------------------------------------------------------------------------- */

char *dnsmasq_remember(const char *name)
{
	struct dnsmasq_process process;
	struct dnsmasq_words words;
	char why[256], *copy = NULL;
	int directory = dnsmasq_directory(false, why, sizeof(why));

	if (directory >= 0 && dnsmasq_find(directory, name, &process)) {
		close(process.pidfd);
		if (!process.elsewhere && dnsmasq_read_record(directory, name, &words) &&
			dnsmasq_has_words(&process, &words))
			copy = dnsmasq_words_copy(&words);
	}
	if (directory >= 0)
		close(directory);
	return copy;
}

/* Whether a network's dnsmasq runs with these words. */
static bool runs_with(const char *name, const struct dnsmasq_words *words)
{
	struct dnsmasq_process process;

	return dnsmasq_lives(name, &process) && dnsmasq_has_words(&process, words);
}

bool dnsmasq_restore(const char *name, const char *remembered, char *why, size_t why_size)
{
	struct dnsmasq_words words;

	*why = '\0';
	if (!dnsmasq_words_from(&words, remembered))
		text_append(why, why_size, "its words are not what they were");
	else if (runs_with(name, &words) || (dnsmasq_stop(name, why, why_size) && start(name, &words, why, why_size)))
		return true;
	return false;
}

/* --- stopping ---------------------------------------------------------------------------------------------------- */

bool dnsmasq_stop(const char *name, char *why, size_t why_size)
{
	struct dnsmasq_process process;
	int directory = dnsmasq_directory(false, why, why_size);
	bool found, elsewhere, ended = true;

	if (directory < 0 && errno == ENOENT) {
		*why = '\0';
		return true;
	}
	if (directory < 0)
		return false;
	found = dnsmasq_find(directory, name, &process);
	elsewhere = found && process.elsewhere;
	if (found && !elsewhere)
		ended = dnsmasq_end(&process);
	if (found)
		close(process.pidfd);
	ended = dnsmasq_end_others(name) && ended;
	if (ended && !elsewhere)
		dnsmasq_forget(directory, name);
	close(directory);
	if (!ended)
		text_append(why, why_size, "it does not end, not even by SIGKILL");
	return ended;
}
