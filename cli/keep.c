// SPDX-License-Identifier: MIT
/*
 * `tapgate keep`: networks stay as `tapgate up` made them, whatever becomes of the host.
 *
 * The kernel says when something changed that a network rests on: interfaces, addresses, routes, rules of routing,
 * forwarding, what keeps taps and the host apart, nftables' rules, a dnsmasq that died. Then a child does what
 * `tapgate up` would do for the networks as they were applied, and ends: this process itself reads the policy, waits,
 * and so stays small. It has the policy in memory, so that lines that were edited and not applied yet count for
 * nothing; `up` and `down` mark their lock when they are done, which has it read anew (session_applied).
 */
#include "cli/commands.h"

#include <errno.h>
#include <jansson.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/rtnetlink.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "dhcp/dhcp.h"
#include "networks/networks.h"
#include "tool/tool.h"

enum {
	PAUSE = 100,	  /* milliseconds without a further change, before it looks: changes come in crowds */
	PATIENCE = 1000,  /* of such waiting */
	SHARE = 20,	  /* changes without end: it takes one in that many parts of a processor's time, */
	REST_MAX = 10000, /* but does not wait longer than that from look to look, */
	CREDIT = 5000,	  /* and at first not at all */
	BURST = 10,	  /* repairs, one right after the other, */
	RETRY = 10000,	  /* and what failed is tried again after that, then after twice that, */
	RETRY_MAX = 3600000,
	INTERVAL = 10000, /* repairs: from then on one in that many, as somebody else may undo each */
};

/* What a child comes to. */
enum { LOOK_RIGHT, LOOK_CHANGED, LOOK_FAILED, LOOK_AGAIN };

/*
 * What children leave behind for the next one: the networks that are kept, by their place in the policy, and as what.
 */
struct kept {
	bool network[POLICY_NETWORKS_MAX];
	uint64_t as[POLICY_NETWORKS_MAX]; /* digests of their lines */
	size_t count;
	struct say_memory said; /* what lasts is said once */
};

enum { WAKE_SIGNAL, WAKE_HOST, WAKE_RULES, WAKE_APPLIED, WAKE_DNSMASQ };

struct keep {
	struct policy *policy;
	struct timespec applied; /* when the policy that is in memory was */
	struct kept *kept;	 /* shared with children */
	int copies;		 /* a file in memory: guards of what is not kept, as they stood (guard_copy) */
	struct link *host, *rules;
	struct pollfd
		wakes[WAKE_DNSMASQ + POLICY_NETWORKS_MAX]; /* in the end a dnsmasq for each network that has one */
	int again;					   /* milliseconds until it looks without a change; 0: never */
	int64_t rested;					   /* when it would have rested from all looks */
	int64_t repairs; /* when the next repair would be due if all came one in each INTERVAL */
};

/* --- in the child ------------------------------------------------------------------------------------------------- */

/* What a line says, wherever it stands: its words lie in a policy that may be gone when the next one is looked at. */
static uint64_t digest_of(const struct policy_network *network)
{
	const struct policy_served *served = &network->served;
	const struct word words[] = {
		served->dns, served->domain, served->search, served->router, served->ntp, served->boot};
	uint64_t digest = guard_digest(GUARD_DIGEST_START, network, offsetof(struct policy_network, served));

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
		digest = guard_digest(digest, &words[i].size, sizeof(words[i].size));
		digest = guard_digest(digest, words[i].at, words[i].size);
	}
	return guard_digest(digest, &served->lease, sizeof(served->lease));
}

/* Whether a network was kept by a line that says the same. Where that is not sure, what stands tells (edited). */
static bool was_kept(const struct kept *kept, const struct policy_network *network)
{
	for (size_t i = 0; i < kept->count; i++) {
		if (kept->as[i] == digest_of(network))
			return true;
	}
	return false;
}

/*
 * What of a network is other than its line says, as a phrase; NULL if the line is what was applied; empty where nothing
 * is, as it was taken down. What is only not there, as a guard that was flushed or a dnsmasq that died, does not tell,
 * and is put back.
 */
static const char *edited(struct session *session, const struct policy_network *network, const struct kept *kept)
{
	struct report report = report_make(session, network, network->name);

	if (!policy_is_managed(network) || report.state == REPORT_MISSING)
		return "";
	if (was_kept(kept, network))
		return NULL;
	if (report.guard == GUARD_CHANGED)
		return "guard";
	if (report.dnsmasq == DNSMASQ_DIFFERENT)
		return "DHCP";
	return report.bridge ? bridge_difference(session, network) : NULL;
}

static void find_kept(struct session *session, const struct policy *policy, struct kept *kept)
{
	size_t count;
	const struct policy_network *networks = policy_networks(policy, &count);

	for (size_t i = 0; i < count; i++) {
		const char *difference = edited(session, &networks[i], kept);

		kept->network[i] = !difference;
		if (difference && *difference)
			say_warning("%s: it is not what its line says (%s), and is not kept until 'tapgate up' has run",
				networks[i].name, difference);
	}
	kept->count = 0;
	for (size_t i = 0; i < count; i++) {
		if (kept->network[i])
			kept->as[kept->count++] = digest_of(&networks[i]);
	}
}

/* What stands and the policy does not name, as `up` leaves it with who is on it. */
struct left {
	struct session *session;
	const struct policy *policy;
	bool all;
};

static void keep_left(void *context, const char *name)
{
	struct left *left = context;

	if (!load_find(left->policy, name))
		left->all &= network_keep_guarded(left->session, name, NULL);
}

/* As `up` does it, for the kept ones by name. Of others only the guards, and their passes. */
static bool settle_kept(struct session *session, const struct policy *policy, const struct kept *kept)
{
	size_t count;
	const struct policy_network *networks = policy_networks(policy, &count);
	char *names[POLICY_NETWORKS_MAX];
	bool refused[POLICY_NETWORKS_MAX] = {false};
	struct words words = {.names = names};
	struct left left = {session, policy, true};
	bool all = network_each(session, keep_left, &left) && left.all;

	for (size_t i = 0; i < count; i++) {
		if (kept->network[i]) {
			names[words.name_count++] = (char *)(uintptr_t)networks[i].name;
			json_object_del(session->copies, networks[i].name);
		} else if (policy_is_managed(&networks[i]))
			all &= network_keep_guarded(session, networks[i].name, &networks[i]);
	}
	if (words.name_count > 0)
		all &= session_look(session) && up_settle(session, policy, &words, refused);
	return guard_seal_all(session) && all;
}

/* What one child knows of guards that the policy does not tell, the next one knows, too. */
static json_t *read_copies(int file)
{
	json_t *copies = lseek(file, 0, SEEK_SET) == 0 ? json_loadfd(file, 0, NULL) : NULL;

	return copies ? copies : json_object();
}

static void write_copies(int file, const json_t *copies)
{
	(void)!(lseek(file, 0, SEEK_SET) == 0 && ftruncate(file, 0) == 0 && json_dumpfd(copies, file, 0) == 0);
}

static int look(struct keep *keep, bool anew)
{
	struct session session = {.command = "keep", .lock = -1, .copies = read_copies(keep->copies)};
	struct timespec applied;
	int result = LOOK_FAILED;

	if (session_open(&session, true)) {
		applied = session_when_applied();
		if (applied.tv_sec != keep->applied.tv_sec || applied.tv_nsec != keep->applied.tv_nsec) {
			result = LOOK_AGAIN;
		} else {
			if (anew)
				find_kept(&session, keep->policy, keep->kept);
			if (settle_kept(&session, keep->policy, keep->kept))
				result = session.changes ? LOOK_CHANGED : LOOK_RIGHT;
			write_copies(keep->copies, session.copies);
		}
	}
	session_close(&session);
	return result;
}

/* --- waiting ------------------------------------------------------------------------------------------------------ */

/* Have the child look, and wait for it; a signal that ends us ends it, too, as soon as no network is half way. */
static int have_looked(struct keep *keep, bool anew)
{
	int status = 0;
	pid_t child;

	fflush(stdout);
	child = fork();
	if (child == 0) {
		sigset_t none;

		sigemptyset(&none);
		sigprocmask(SIG_SETMASK, &none, NULL);
		say_not_again(&keep->kept->said);
		status = look(keep, anew);
		fflush(stdout);
		_exit(status);
	}
	if (child < 0) {
		say_error("cannot start a process: %s", strerror(errno));
		return LOOK_FAILED;
	}
	for (int signals = keep->wakes[WAKE_SIGNAL].fd; waitpid(child, &status, WNOHANG) == 0;) {
		struct pollfd ends[] = {{.fd = signals, .events = POLLIN}, {.fd = -1, .events = POLLIN}};

		ends[1].fd = (int)syscall(SYS_pidfd_open, child, 0);
		if (poll(ends, 2, ends[1].fd < 0 ? PAUSE : -1) > 0 && ends[0].revents) {
			kill(child, SIGTERM);
			signals = -1; /* it was told */
		}
		if (ends[1].fd >= 0)
			close(ends[1].fd);
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : LOOK_FAILED;
}

/*
 * A dnsmasq that dies is started again by its own keeper; the death of that is seen by a descriptor that stands for the
 * process (pidfd_open(2)). False: one is missing by now.
 */
static bool watch_dnsmasqs(struct keep *keep)
{
	size_t count;
	const struct policy_network *networks = policy_networks(keep->policy, &count);
	bool all = true;

	for (size_t i = 0; i < count; i++) {
		struct pollfd *wake = &keep->wakes[WAKE_DNSMASQ + i];
		bool wanted = keep->kept->network[i] && dnsmasq_wanted(&networks[i]);
		pid_t pid;

		if (wake->fd >= 0 && poll(wake, 1, 0) == 0)
			continue;
		if (wake->fd >= 0)
			close(wake->fd);
		pid = wanted ? dnsmasq_keeper(networks[i].name) : 0;
		wake->fd = pid ? (int)syscall(SYS_pidfd_open, pid, 0) : -1;
		all &= !wanted || wake->fd >= 0;
	}
	return all;
}

static void forget_dnsmasqs(struct keep *keep)
{
	for (size_t i = WAKE_DNSMASQ; i < WAKE_DNSMASQ + POLICY_NETWORKS_MAX; i++) {
		if (keep->wakes[i].fd >= 0)
			close(keep->wakes[i].fd);
		keep->wakes[i].fd = -1;
	}
}

/*
 * The lock may be another file than it was. And systemd-resolved makes files as it starts, which is then to be told who
 * knows guests by name.
 */
static void watch_files(const struct keep *keep)
{
	if (inotify_add_watch(keep->wakes[WAKE_APPLIED].fd, "/run/systemd/resolve", IN_CREATE | IN_ONLYDIR) < 0)
		(void)!inotify_add_watch(keep->wakes[WAKE_APPLIED].fd, "/run/systemd", IN_CREATE | IN_ONLYDIR);
	(void)!inotify_add_watch(keep->wakes[WAKE_APPLIED].fd, SESSION_LOCK, IN_ATTRIB | IN_DELETE_SELF);
}

/* What was told is forgotten, as everything is looked at. Whether there was anything. */
static bool forget_changes(const struct keep *keep)
{
	char events[4096];
	bool any = link_forget_changes(keep->host);

	any |= link_forget_changes(keep->rules);
	while (read(keep->wakes[WAKE_APPLIED].fd, events, sizeof(events)) > 0)
		any = true;
	watch_files(keep);
	return any;
}

/* Sleep, whatever changes meanwhile. False: it is time to end. */
static bool sleep_for(const struct keep *keep, int64_t milliseconds)
{
	struct pollfd ends = keep->wakes[WAKE_SIGNAL];

	return milliseconds <= 0 || poll(&ends, 1, (int)milliseconds) <= 0;
}

/*
 * Wait for a change, and then until no more come, for some time, and until it has rested from the last look: whoever
 * changes something all the time, as a daemon with ten thousand routes, has this not work all the time. What could not
 * be put right is tried again without a change, less and less often. False: it is time to end.
 */
static bool wait_for_change(struct keep *keep, int result)
{
	int64_t deadline;

	keep->again = result != LOOK_FAILED ? 0 : keep->again ? keep->again * 2 : RETRY;
	if (keep->again > RETRY_MAX)
		keep->again = RETRY_MAX;
	watch_files(keep);
	if (!watch_dnsmasqs(keep) && result != LOOK_FAILED)
		return sleep_for(keep, keep->rested - clock_milliseconds() - CREDIT);
	if (poll(keep->wakes, WAKE_DNSMASQ + POLICY_NETWORKS_MAX, keep->again ? keep->again : -1) > 0 &&
		keep->wakes[WAKE_SIGNAL].revents)
		return false;
	deadline = clock_milliseconds() + PATIENCE;
	do {
		if (!sleep_for(keep, PAUSE))
			return false;
	} while (forget_changes(keep) && clock_milliseconds() < deadline);
	if (!sleep_for(keep, keep->rested - clock_milliseconds() - CREDIT))
		return false;
	forget_changes(keep);
	return true;
}

/* After a repair: not before its time, if there were many. False: it is time to end. */
static bool pace(struct keep *keep)
{
	int64_t now = clock_milliseconds(), early = 0;

	keep->repairs = (keep->repairs > now ? keep->repairs : now) + INTERVAL;
	early = keep->repairs - now - (int64_t)BURST * INTERVAL;
	return sleep_for(keep, early);
}

/* --- both --------------------------------------------------------------------------------------------------------- */

/* The policy anew; one that is invalid by now leaves the one in memory. */
static bool load(struct keep *keep)
{
	struct policy *policy;

	keep->applied = session_when_applied(); /* first: whoever applies it meanwhile has it loaded again */
	policy = load_policy(NULL);
	if (policy) {
		policy_free(keep->policy);
		keep->policy = policy;
		forget_dnsmasqs(keep);
	}
	return keep->policy;
}

/* Milliseconds of processor time that all looks took so far. */
static int64_t effort(void)
{
	struct rusage usage = {.ru_utime.tv_sec = 0};

	getrusage(RUSAGE_CHILDREN, &usage);
	return (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000 +
	       (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1000;
}

/* After a look that took so long: how long that counts. */
static void tire(struct keep *keep, int64_t milliseconds)
{
	const int64_t now = clock_milliseconds(), rest = SHARE * milliseconds;

	keep->rested = (keep->rested > now ? keep->rested : now) + (rest < REST_MAX ? rest : REST_MAX);
}

static int keep_on(struct keep *keep)
{
	int result = LOOK_AGAIN;

	do {
		const bool anew = result == LOOK_AGAIN;
		int64_t before;

		if (anew && !load(keep))
			return STATUS_POLICY;
		before = effort();
		result = have_looked(keep, anew);
		tire(keep, effort() - before);
		if (result == LOOK_AGAIN)
			continue;
		if (result != LOOK_RIGHT && !pace(keep))
			break;
	} while (result == LOOK_AGAIN || wait_for_change(keep, result));
	return STATUS_DONE;
}

static bool open_wakes(struct keep *keep)
{
	static const int host[] = {RTNLGRP_LINK, RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV6_IFADDR, RTNLGRP_IPV4_ROUTE,
		RTNLGRP_IPV6_ROUTE, RTNLGRP_IPV4_RULE, RTNLGRP_IPV6_RULE, RTNLGRP_IPV4_NETCONF, RTNLGRP_IPV6_NETCONF,
		RTNLGRP_TC, 0};
	static const int rules[] = {NFNLGRP_NFTABLES, 0};
	sigset_t ends;
	int error = link_open(&keep->host);

	if (!error)
		error = link_watch(keep->host, host);
	if (!error)
		error = nftables_open(&keep->rules);
	if (!error)
		error = link_watch(keep->rules, rules);
	if (error)
		return say_error("cannot have the kernel tell of changes: %s", strerror(-error));
	sigemptyset(&ends);
	sigaddset(&ends, SIGINT);
	sigaddset(&ends, SIGTERM);
	keep->wakes[WAKE_SIGNAL].fd = signalfd(-1, &ends, SFD_CLOEXEC);
	keep->wakes[WAKE_APPLIED].fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (keep->wakes[WAKE_SIGNAL].fd < 0 || keep->wakes[WAKE_APPLIED].fd < 0 ||
		sigprocmask(SIG_BLOCK, &ends, NULL) < 0)
		return say_error("cannot wait for signals and files: %s", strerror(errno));
	keep->wakes[WAKE_HOST].fd = link_descriptor(keep->host);
	keep->wakes[WAKE_RULES].fd = link_descriptor(keep->rules);
	return true;
}

static void close_all(struct keep *keep)
{
	forget_dnsmasqs(keep);
	for (size_t i = WAKE_SIGNAL; i < WAKE_DNSMASQ; i++) {
		if (keep->wakes[i].fd >= 0 && i != WAKE_HOST && i != WAKE_RULES)
			close(keep->wakes[i].fd);
	}
	link_close(keep->host);
	link_close(keep->rules);
	policy_free(keep->policy);
	close(keep->copies);
	munmap(keep->kept, sizeof(*keep->kept));
}

int command_keep(const struct words *words)
{
	struct keep keep = {.policy = NULL};
	int status = STATUS_FAILED;

	(void)words;
	for (size_t i = 0; i < sizeof(keep.wakes) / sizeof(*keep.wakes); i++)
		keep.wakes[i] = (struct pollfd){.fd = -1, .events = POLLIN};
	if (geteuid() != 0) {
		say_error("only root can keep networks; try: sudo tapgate keep");
		return STATUS_FAILED;
	}
	keep.kept = mmap(NULL, sizeof(*keep.kept), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	keep.copies = memfd_create("guards", MFD_CLOEXEC);
	if (keep.kept == MAP_FAILED || keep.copies < 0) {
		say_error("out of memory");
		return STATUS_FAILED;
	}
	if (open_wakes(&keep))
		status = keep_on(&keep);
	close_all(&keep);
	return status;
}
