// SPDX-License-Identifier: MIT
/* The process itself: put in a known state, whatever it inherited, and then without privileges it needs no more. */
#include "helper/helper.h"

#include <cap-ng.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

/* --- state -------------------------------------------------------------------------------------------------------- */

/* What it inherits from the one that started it is put in a known state before anything else happens. */

enum {
	LIFE_MAX = 15, /* seconds; a standard error that takes nothing is waited for one, all else takes milliseconds */
};

/* A descriptor that is made later must never be taken for one of the standard streams. */
static bool open_standard_streams(struct outcome *outcome)
{
	for (int fd = 0; fd <= 2; fd++) {
		if (fcntl(fd, F_GETFD) >= 0)
			continue;
		if (open("/dev/null", O_RDWR) != fd)
			return refuse_errno(outcome, errno, "cannot open /dev/null for closed descriptor %d", fd);
	}
	return true;
}

/*
 * exec(2) leaves a signal ignored or at its default, and the mask as it was. Three must neither end nor stop the write
 * of the last line: SIGPIPE, SIGXFSZ and SIGTTOU. Every other signal does what it does, and if it ends the process it
 * ends the tap.
 */
static void reset_signals(void)
{
	struct sigaction standard = {.sa_handler = SIG_DFL}, ignore = {.sa_handler = SIG_IGN};
	sigset_t none;

	for (int number = 1; number < NSIG; number++)
		sigaction(number, &standard, NULL); /* fails for those that cannot be changed */
	sigaction(SIGPIPE, &ignore, NULL);
	sigaction(SIGXFSZ, &ignore, NULL);
	sigaction(SIGTTOU, &ignore, NULL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

/* No timer of the caller's runs on. */
static void clear_timers(void)
{
	const struct itimerval never = {0};

	setitimer(ITIMER_REAL, &never, NULL);
	setitimer(ITIMER_VIRTUAL, &never, NULL);
	setitimer(ITIMER_PROF, &never, NULL);
}

/* What getrlimit(2) takes: an enumeration in glibc, a number in other C libraries. */
#ifdef __GLIBC__
typedef __rlimit_resource_t limit_number;
#else
typedef int limit_number;
#endif

/* A soft limit is the caller's mood, a hard one the administrator's word. */
static void raise_limits(void)
{
	static const limit_number limits[] = {
		RLIMIT_AS, RLIMIT_CPU, RLIMIT_DATA, RLIMIT_FSIZE, RLIMIT_NOFILE, RLIMIT_STACK, RLIMIT_SIGPENDING};
	struct rlimit limit;

	for (size_t i = 0; i < sizeof(limits) / sizeof(*limits); i++) {
		if (getrlimit(limits[i], &limit) < 0 || limit.rlim_cur == limit.rlim_max)
			continue;
		limit.rlim_cur = limit.rlim_max;
		setrlimit(limits[i], &limit); /* what stays low fails where it matters */
	}
}

bool state_make_known(struct outcome *outcome)
{
	if (clearenv() != 0)
		return refuse(outcome, EXIT_SYSTEM, "cannot clear the environment");
	umask(077);
	raise_limits();
	clear_timers(); /* before a signal of theirs that is ignored would end the process */
	reset_signals();
	if (!open_standard_streams(outcome))
		return false;
	if (chdir("/") < 0)
		return refuse_errno(outcome, errno, "cannot change to the root directory");
	return true;
}

/* The kernel undoes it with each change of credentials (begin_new_exec and commit_creds): call it after each. */
static bool state_not_dumpable(struct outcome *outcome)
{
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0 || prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) != 0)
		return refuse_errno(outcome, errno, "cannot make the process undumpable");
	return true;
}

bool state_close_to_others(bool *had_no_new_privs, struct outcome *outcome)
{
	const struct rlimit none = {0};

	*had_no_new_privs = prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1)
		return refuse_errno(outcome, errno, "cannot set no_new_privs");
	if (setrlimit(RLIMIT_CORE, &none) < 0)
		return refuse_errno(outcome, errno, "cannot set the core limit to 0");
	return state_not_dumpable(outcome);
}

/*
 * On a file system or a standard error that a user serves, reading, closing and writing can take for ever; and its user
 * can stop the process. SIGKILL ends a stopped process, too.
 */
bool state_end_soon(struct outcome *outcome)
{
	const struct itimerspec soon = {.it_value.tv_sec = LIFE_MAX};
	struct sigevent end = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGKILL};
	timer_t timer;

	return (timer_create(CLOCK_MONOTONIC, &end, &timer) == 0 && timer_settime(timer, 0, &soon, NULL) == 0) ||
	       refuse_errno(outcome, errno, "cannot have the timer that ends the helper (RLIMIT_SIGPENDING)");
}

/* --- privileges --------------------------------------------------------------------------------------------------- */

/* Everything is given up but one capability, then that too. Each step is proved, never assumed. */

static const uint64_t net_admin = 1 << CAP_NET_ADMIN;

/* The kernel's own account of the process's capabilities, read without the library that changes them. */
struct sets {
	uint64_t effective, permitted, inheritable;
};

static bool read_sets(struct sets *sets)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2] = {{~0U, ~0U, ~0U}, {~0U, ~0U, ~0U}};

	if (syscall(SYS_capget, &header, data) != 0)
		return false;
	sets->effective = data[0].effective | (uint64_t)data[1].effective << 32;
	sets->permitted = data[0].permitted | (uint64_t)data[1].permitted << 32;
	sets->inheritable = data[0].inheritable | (uint64_t)data[1].inheritable << 32;
	return true;
}

static bool sets_are(uint64_t expected)
{
	struct sets sets;

	return read_sets(&sets) && sets.effective == expected && sets.permitted == expected && sets.inheritable == 0;
}

/* The ids as the kernel has them now, if real, effective and saved are one. */
static bool ids_are(uid_t uid, gid_t gid)
{
	uid_t ruid = (uid_t)-1, euid = (uid_t)-1, suid = (uid_t)-1;
	gid_t rgid = (gid_t)-1, egid = (gid_t)-1, sgid = (gid_t)-1;

	return getresuid(&ruid, &euid, &suid) == 0 && getresgid(&rgid, &egid, &sgid) == 0 && ruid == uid &&
	       euid == uid && suid == uid && rgid == gid && egid == gid && sgid == gid;
}

/* Without CAP_SETPCAP, as with the file capability, the bounding set stays; no_new_privs makes it moot. */
static void empty_other_sets(void)
{
	for (unsigned long capability = 0; capability < 64; capability++) {
		if (prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) != 0)
			break; /* the last that this kernel knows was the one before */
	}
	prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
}

/* Try what must no longer work. A filter that pretends success is found out here as well. */
static bool can_regain(uid_t uid, gid_t gid)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	const struct __user_cap_data_struct all[2] = {{~0U, ~0U, ~0U}, {~0U, ~0U, ~0U}};

	return (uid != 0 && (setresuid(0, 0, 0) == 0 || setuid(0) == 0)) ||
	       (gid != 0 && (setresgid(0, 0, 0) == 0 || setgid(0) == 0)) || syscall(SYS_capset, &header, all) == 0;
}

static bool read_groups(struct policy_caller *caller, gid_t gid)
{
	int count = getgroups(0, NULL);
	gid_t *groups = count < 0 ? NULL : calloc((size_t)count + 1, sizeof(*groups));

	if (!groups || getgroups(count, groups) != count) {
		free(groups);
		return false;
	}
	groups[count] = gid;
	caller->groups = groups;
	caller->group_count = (size_t)count + 1;
	return true;
}

/* Why there is no capability to keep, as far as the process sees; what is behind it takes a look at the whole host. */
static bool explain_missing(const struct order *order, bool had_no_new_privs, struct outcome *outcome)
{
	if (order->served)
		return refuse(outcome, EXIT_SYSTEM,
			"the service has no CAP_NET_ADMIN itself; an administrator can look at CapabilityBoundingSet= of tapgate-helper.service, or at what else starts it");
	if (had_no_new_privs)
		return refuse(outcome, EXIT_SYSTEM,
			"no CAP_NET_ADMIN: started under no_new_privs (QEMU's -sandbox on, Flatpak, a container, systemd's NoNewPrivileges= or a setting that brings it along), where the setuid bit has no effect; start the virtual machine outside of it, or have an administrator run: systemctl enable --now tapgate-helper.socket");
	if (geteuid() == 0)
		return refuse(outcome, EXIT_SYSTEM,
			"no CAP_NET_ADMIN: root's programs lack it here; an administrator can run, in the same container or unit: tapgate check --live");
	return refuse(outcome, EXIT_SYSTEM,
		"no CAP_NET_ADMIN: the setuid bit is missing, or had no effect; an administrator can run: tapgate check --live, or for the service: systemctl enable --now tapgate-helper.socket");
}

/*
 * Keep one capability and the caller's ids. The capabilities go first, while they can be given up at will, and the one
 * that is left is made effective anew after the ids: setresuid took it out of the effective set (capabilities(7)). Back
 * to the real ids takes no capability; libcap-ng's own capng_change_id would ask for CAP_SETUID, which a setuid program
 * with a file capability does not have.
 */
static bool give_up(uid_t uid, gid_t gid, struct outcome *outcome)
{
	int failed;

	empty_other_sets();
	capng_clear(CAPNG_SELECT_ALL);
	capng_update(CAPNG_ADD, CAPNG_EFFECTIVE | CAPNG_PERMITTED, CAP_NET_ADMIN);
	failed = capng_apply(CAPNG_SELECT_CAPS);
	if (failed)
		return refuse(outcome, EXIT_SYSTEM, "cannot give up capabilities (libcap-ng: %d)", failed);
	if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0 || setresgid(gid, gid, gid) < 0 || setresuid(uid, uid, uid) < 0)
		return refuse_errno(outcome, errno, "cannot go back to uid %u and gid %u", uid, gid);
	failed = capng_apply(CAPNG_SELECT_CAPS);
	if (failed || prctl(PR_SET_KEEPCAPS, 0, 0, 0, 0) < 0)
		return refuse(outcome, EXIT_SYSTEM, "cannot keep CAP_NET_ADMIN (libcap-ng: %d)", failed);
	return state_not_dumpable(outcome);
}

/* Whether it is so, and stays so when the opposite is tried. */
static bool is_proved(uid_t uid, gid_t gid)
{
	return ids_are(uid, gid) && sets_are(net_admin) && !can_regain(uid, gid) && ids_are(uid, gid) &&
	       sets_are(net_admin) && prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, CAP_NET_ADMIN, 0, 0) <= 0;
}

bool privileges_has_net_admin(void)
{
	struct sets sets;

	return !read_sets(&sets) || (sets.permitted & net_admin); /* what cannot be read is proved later */
}

bool privileges_keep_net_admin(struct order *order, bool had_no_new_privs, struct outcome *outcome)
{
	uid_t uid = getuid();
	gid_t gid = getgid();

	if (order->incapable)
		return explain_missing(order, had_no_new_privs, outcome);
	if (!give_up(uid, gid, outcome))
		return false;
	if (!is_proved(uid, gid))
		return refuse(outcome, EXIT_SYSTEM,
			"privileges given up came back, or never went; something lies to the program about its system calls");
	order->caller.uid = uid;
	return read_groups(&order->caller, gid) || refuse_errno(outcome, errno, "cannot read the process's groups");
}

void privileges_drop_all(void)
{
	uid_t uid = getuid();
	gid_t gid = getgid();

	/* Root's identity is still there if an early step failed. */
	if (!ids_are(uid, gid) &&
		(setresgid(gid, gid, gid) != 0 || setresuid(uid, uid, uid) != 0 || !ids_are(uid, gid)))
		_exit(EXIT_SYSTEM);
	capng_clear(CAPNG_SELECT_CAPS);
	if (!sets_are(0) && (capng_apply(CAPNG_SELECT_CAPS) != 0 || !sets_are(0)))
		_exit(EXIT_SYSTEM);
}
