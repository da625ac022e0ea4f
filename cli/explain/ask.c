// SPDX-License-Identifier: MIT
/* Who is asked about, and what the policy says to that user. */
#include "cli/explain/explain.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/commands.h"
#include "tool/tool.h"

/* --- who ---------------------------------------------------------------------------------------------------------- */

/*
 * Who is asked about: the caller, or a user whom the host's name services know (getpwnam(3), getgrouplist(3)). The
 * helper never asks name services, because their plug-ins would run with its privileges; this program has none.
 */

enum { NOBODYS_GROUP = 65534 };

static int fail(const char *what)
{
	say_error("%s: %s", what, strerror(errno));
	return STATUS_FAILED;
}

/* The groups that this process holds, as the helper would find them. */
static int take_own_groups(struct explain_who *who)
{
	int count = getgroups(0, NULL);

	who->gid = getgid();
	who->groups = count < 0 ? NULL : calloc((size_t)count + 1, sizeof(*who->groups));
	if (!who->groups || getgroups(count, who->groups) != count)
		return fail("cannot read the process's groups");
	who->group_count = (size_t)count;
	for (int i = 0; i < count; i++) {
		if (who->groups[i] == who->gid)
			return STATUS_DONE;
	}
	who->groups[who->group_count++] = who->gid;
	return STATUS_DONE;
}

/* The groups that the user has after logging in. */
static int take_groups_of(const struct passwd *user, struct explain_who *who)
{
	int room = 64, count = room;

	who->gid = user->pw_gid;
	who->groups = calloc((size_t)room, sizeof(*who->groups));
	while (who->groups && getgrouplist(user->pw_name, user->pw_gid, who->groups, &count) < 0) {
		room = count > room ? count : room * 2;
		free(who->groups);
		who->groups = calloc((size_t)room, sizeof(*who->groups));
		count = room;
	}
	if (!who->groups)
		return fail("cannot read the user's groups");
	who->group_count = (size_t)count;
	return STATUS_DONE;
}

/* A user without a name has no groups. As a process always has one, it gets the group of nobody. */
static int take_no_groups(struct explain_who *who)
{
	who->gid = NOBODYS_GROUP;
	who->groups = calloc(1, sizeof(*who->groups));
	if (!who->groups)
		return fail("cannot keep the user's groups");
	who->groups[0] = who->gid;
	who->group_count = 1;
	return STATUS_DONE;
}

static int refuse_unknown(const char *user, int error)
{
	struct word word = {user, strlen(user)};

	if (error) {
		say_error("--user %s: cannot look the user up: %s", QUOTED(word), strerror(error));
		return STATUS_FAILED;
	}
	say_error("--user %s: there is no such user, expected a name, or '#' and a number; see: tapgate help explain",
		QUOTED(word));
	return STATUS_USAGE;
}

int explain_find_who(const char *user, struct explain_who *who)
{
	struct word digits = {user ? user + 1 : "", user && *user ? strlen(user) - 1 : 0};
	const struct passwd *found;
	uint32_t number = 0;
	bool by_number = user && *user == '#' && word_number(digits, UINT32_MAX - 1, &number);

	*who = (struct explain_who){.uid = by_number ? number : getuid()};
	errno = 0;
	found = user && !by_number ? getpwnam(user) : getpwuid(who->uid);
	if (!found && user && !by_number)
		return refuse_unknown(user, errno == ENOENT || errno == ESRCH ? 0 : errno);
	if (found) {
		who->uid = found->pw_uid;
		snprintf(who->name, sizeof(who->name), "%s", found->pw_name);
	}
	who->self = !user || (geteuid() != 0 && who->uid == getuid());
	if (who->self)
		return take_own_groups(who);
	if (geteuid() != 0) {
		say_error("--user: only root can ask about another user; without it the answer is about you");
		return STATUS_FAILED;
	}
	return found ? take_groups_of(found, who) : take_no_groups(who);
}

/* The helper asks no name service for the number of a group; this program does. */
void explain_show_skipped(const struct explain_who *who, const struct explain_answer *answer, FILE *out)
{
	const bool of_user = answer->skipped_kind == ACCOUNT_USER;
	const struct word name = {answer->skipped, strlen(answer->skipped)};
	const struct passwd *user = of_user && name.size ? getpwnam(answer->skipped) : NULL;
	const struct group *group = !of_user && name.size ? getgrnam(answer->skipped) : NULL;
	const uint32_t number = user ? user->pw_uid : group ? group->gr_gid : 0;
	bool same = user && number == who->uid;

	for (size_t i = 0; group && i < who->group_count; i++)
		same |= who->groups[i] == number;
	if (same)
		fprintf(out, "  number   the %s %s is this user's: write %s=#%u\n", of_user ? "name" : "group",
			QUOTED(name), of_user ? "user" : "group", number);
	else if (name.size)
		fprintf(out, "  number   the %s %s is not this user's\n", of_user ? "name" : "group", QUOTED(name));
}

/* --- answers ------------------------------------------------------------------------------------------------------ */

/*
 * What the policy says to a user: read by a process that is that user, and decided by the helper's own judgement.
 *
 * A file that the user may not read must say nothing (an include with mode 0640 root:alice is for alice), and which
 * files that are is the kernel's to decide. So the process that reads gives up root's ids and every capability for good
 * before it opens the first file, as the helper does, and sends its answers through a pipe. Nothing takes them back.
 *
 * Such a process is the user's to stop or to kill from then on. So it is not waited for longer than PATIENCE, nor for
 * its end.
 */

/* What goes through the pipe: one BEGIN, answers, one END. */
struct message {
	enum { BEGIN, ANSWER, END } kind;
	char hidden[EXPLAIN_FILE_MAX]; /* BEGIN */
	bool may_run, several;	       /* BEGIN */
	struct outcome passed_over;    /* BEGIN: a mistake that keeps nobody from a tap; code EXIT_SENT: none */
	struct explain_answer answer;  /* of BEGIN only the outcome: whether there is a policy */
};

/* --- as the user -------------------------------------------------------------------------------------------------- */

enum { PIPE = 3 }; /* where the pipe's end is in the process that asks */

struct asking {
	const struct explain_question *question;
	const struct policy *policy;
	bool partly; /* it was read as the helper reads it: the rest has a mistake */
};

static bool send_message(const struct message *message)
{
	const char *at = (const char *)message;
	size_t left = sizeof(*message);

	while (left > 0) {
		ssize_t size = write(PIPE, at, left);

		if (size < 0 && errno != EINTR)
			return false;
		if (size > 0) {
			at += size;
			left -= (size_t)size;
		}
	}
	return true;
}

/* Give up what the user does not have. Root keeps its ids, and has no capability to read what its ids may not. */
static bool become(const struct explain_who *who, struct outcome *outcome)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	const struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {{0}};

	if (!who->self &&
		(setgroups(who->group_count, who->groups) < 0 || setresgid(who->gid, who->gid, who->gid) < 0 ||
			setresuid(who->uid, who->uid, who->uid) < 0))
		return refuse_errno(outcome, errno, "cannot become uid %u", who->uid);
	if (syscall(SYS_capset, &header, none) < 0)
		return refuse_errno(outcome, errno, "cannot give up capabilities");
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return refuse_errno(outcome, errno, "cannot make the process undumpable");
	if (who->uid != 0 && setresuid(who->uid, 0, who->uid) == 0)
		return refuse(outcome, EXIT_SYSTEM, "root's rights came back after uid %u was taken on", who->uid);
	return true;
}

static void keep_place(char file[static EXPLAIN_FILE_MAX], const char *from)
{
	file[0] = '\0';
	text_append_escaped(file, EXPLAIN_FILE_MAX, (struct word){from, strlen(from)});
}

static void keep_guests(struct explain_answer *about, const struct policy_network *network)
{
	for (const struct policy_guest *guest = NULL; (guest = policy_next_guest(network, guest));) {
		struct explain_guest *kept = &about->guests[about->guest_count];

		if (about->guest_count == EXPLAIN_GUESTS_MAX)
			return;
		about->guest_count++;
		memcpy(kept->name, guest->name, sizeof(kept->name));
		if (guest->options.given & OPTION_MAC)
			mac_text(guest->options.mac, kept->mac);
		if (guest->options.given & OPTION_IP)
			inet_ntop(AF_INET, guest->ipv4, kept->ipv4, sizeof(kept->ipv4));
		if (guest->options.given & OPTION_IP6)
			inet_ntop(AF_INET6, guest->ipv6, kept->ipv6, sizeof(kept->ipv6));
	}
}

static void answer(const struct asking *asking, const char *name)
{
	const struct explain_who *who = asking->question->who;
	const struct policy_caller caller = {.uid = who->uid, .groups = who->groups, .group_count = who->group_count};
	static struct message message; /* large, and this process asks one thing at a time */
	struct explain_answer *about = &message.answer;
	struct policy_verdict verdict;

	message = (struct message){.kind = ANSWER, .answer.partly = asking->partly};
	verdict = permit_decide(asking->policy, name, &caller, &about->permit, &about->outcome);
	if (verdict.file) {
		keep_place(about->rule_file, verdict.file);
		text_append_escaped(about->rule, sizeof(about->rule), verdict.rule);
		about->rule_line = verdict.line;
	}
	if (verdict.outcome == POLICY_DENIED_NO_RULE && verdict.skipped.at && !verdict.hidden) {
		snprintf(about->skipped, sizeof(about->skipped), "%.*s", (int)verdict.skipped.size, verdict.skipped.at);
		about->skipped_kind = verdict.skipped_kind;
	}
	if (verdict.outcome == POLICY_DENIED_NO_RULE && !verdict.named)
		about->meant = load_guess(asking->policy, name);
	if (verdict.network) {
		keep_place(about->line_file, verdict.network->file);
		about->line_line = verdict.network->line;
		keep_guests(about, verdict.network);
	}
	if (!send_message(&message))
		_exit(STATUS_FAILED);
}

static void answer_name(void *context, const char *name)
{
	answer(context, name);
}

/* Every network that the policy names; where a rule allows 'all' networks, the host's other bridges as well. */
static void answer_all(struct asking *asking)
{
	const struct host *host = asking->question->host;
	struct policy_network bridged;

	if (!load_each_name(asking->policy, answer_name, asking))
		return;
	for (size_t i = 0; i < host->interface_count; i++) {
		const struct link_interface *interface = &host->interfaces[i];
		const struct word name = {interface->name, strlen(interface->name)};

		if (strcmp(interface->kind, "bridge") == 0 && !word_name_problem(name) &&
			!load_named(asking->policy, interface->name, &bridged))
			answer(asking, interface->name);
	}
}

static void count_name(void *count, const char *name)
{
	(void)name;
	++*(size_t *)count;
}

static bool has_several(const struct policy *policy)
{
	size_t count = 0;

	return load_each_name(policy, count_name, &count) || count != 1;
}

/*
 * The policy in full, or if that has a mistake what the helper reads of it: where both are accepted they decide alike.
 */
static struct policy *load_for(struct asking *asking, struct message *begin)
{
	struct policy *policy = permit_load(&policy_services, &begin->passed_over);

	if (!policy) {
		policy = permit_load(NULL, &begin->answer.outcome);
		asking->partly = true;
	}
	asking->policy = policy;
	return policy;
}

static _Noreturn void ask_as_user(const struct explain_question *question, int pipe)
{
	static struct message begin, end = {.kind = END};
	struct asking asking = {.question = question};
	struct policy *policy = NULL;
	const char *hidden;

	if (pipe != PIPE && dup2(pipe, PIPE) != PIPE)
		_exit(STATUS_FAILED);
	syscall(SYS_close_range, PIPE + 1, ~0U, 0);
	begin.kind = BEGIN;
	if (become(question->who, &begin.answer.outcome))
		policy = load_for(&asking, &begin);
	if (policy)
		load_choose(policy);
	hidden = asking.policy ? policy_hidden(asking.policy) : NULL;
	if (hidden)
		keep_place(begin.hidden, hidden);
	begin.several = asking.policy && has_several(asking.policy);
	begin.may_run = access(question->helper, X_OK) == 0 || errno != EACCES;
	if (!send_message(&begin) || !asking.policy)
		_exit(STATUS_FAILED);
	for (int i = 0; i < question->name_count; i++)
		answer(&asking, question->names[i]);
	if (question->name_count == 0)
		answer_all(&asking);
	_exit(send_message(&end) ? STATUS_DONE : STATUS_FAILED);
}

/* --- as the caller ------------------------------------------------------------------------------------------------ */

enum { PATIENCE = 5000 }; /* milliseconds without a byte */

static bool receive_message(int pipe, struct message *message)
{
	struct pollfd ready = {.fd = pipe, .events = POLLIN};
	char *at = (char *)message;
	size_t left = sizeof(*message);

	while (left > 0) {
		int count = poll(&ready, 1, PATIENCE);
		ssize_t size = count > 0 ? read(pipe, at, left) : count;

		if (size == 0 || (size < 0 && errno != EINTR))
			return false;
		if (size > 0) {
			at += size;
			left -= (size_t)size;
		}
	}
	return true;
}

static int hear(const struct explain_question *question, int pipe)
{
	static struct message message;

	while (receive_message(pipe, &message)) {
		switch (message.kind) {
		case BEGIN:
			if (message.answer.outcome.code) {
				say_error("%s", message.answer.outcome.text);
				return (int)message.answer.outcome.code;
			}
			if (message.passed_over.code)
				say_error(
					"%s; tapgate-helper passes over it, but 'tapgate up' refuses the policy; see: tapgate check",
					message.passed_over.text);
			question->begin(question->context, message.hidden, message.may_run, message.several);
			break;
		case ANSWER:
			question->each(question->context, &message.answer);
			break;
		case END:
			return STATUS_DONE;
		}
	}
	say_error("the process that reads the policy as uid %u was ended or stopped too early", question->who->uid);
	return STATUS_FAILED;
}

int explain_ask(const struct explain_question *question)
{
	int ends[2], status;
	pid_t child;

	fflush(NULL);
	if (pipe(ends) < 0 || (child = fork()) < 0) {
		say_error("cannot start a process that reads the policy: %s", strerror(errno));
		return STATUS_FAILED;
	}
	if (child == 0)
		ask_as_user(question, ends[1]);
	close(ends[1]);
	status = hear(question, ends[0]);
	close(ends[0]);
	kill(child, SIGKILL); /* it has said all, or never will */
	while (waitpid(child, NULL, 0) < 0 && errno == EINTR)
		;
	return status;
}
