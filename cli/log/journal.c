// SPDX-License-Identifier: MIT
/*
 * The journal's entries of the helper, by journalctl(1), which knows the journal's files and who may read them. It gets
 * fixed words, by an absolute path, and an environment of ours.
 */
#include "cli/log/log.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tool/tool.h"

enum { CANNOT_RUN = 127, MESSAGE_MAX = 4096 };

static const char *const places[] = {"/usr/bin/journalctl", "/bin/journalctl"};

/*
 * In the child: become journalctl. Times are those of the caller's zone, as `tapgate log` shows them; all else of the
 * environment stays behind.
 */
static _Noreturn void become(const char *const *words, int output, int errors)
{
	static char locale[] = "LC_ALL=C";
	char zone[256] = "TZ=";
	const char *given = getenv("TZ");
	char *const environment[] = {locale, given && strlen(given) < sizeof(zone) - 4 ? zone : NULL, NULL};

	if (environment[1])
		text_append(zone, sizeof(zone), "%s", given);
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	signal(SIGPIPE, SIG_DFL);
	if (dup2(output, STDOUT_FILENO) >= 0 && dup2(errors, STDERR_FILENO) >= 0) {
		for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++)
			execve(places[i], (char *const *)(uintptr_t)words, environment);
	}
	_exit(CANNOT_RUN);
}

/*
 * In the child. Only what came by /dev/log as one datagram can be the helper's: there is then one MESSAGE, which is its
 * text, whereas senders of journald's own protocol write fields as they like.
 */
static _Noreturn void run_journalctl(const struct log_query *query, int output, int errors)
{
	const char *words[14] = {"journalctl", "--quiet", "--no-pager", "--output=json", "--output-fields=MESSAGE,_UID",
		"SYSLOG_IDENTIFIER=tapgate-helper", "SYSLOG_FACILITY=10", "_TRANSPORT=syslog"};
	size_t count = 8;
	char user[32], *since;

	if (query->uid) {
		snprintf(user, sizeof(user), "_UID=%u", *query->uid);
		words[count++] = user;
		words[count++] = "_UID=0"; /* whose door may speak of that user */
	}
	if (query->since) {
		if (asprintf(&since, "--since=%s", query->since) < 0)
			_exit(CANNOT_RUN);
		words[count++] = since;
	}
	if (query->follow) {
		words[count++] = "--follow";
		words[count] = "--no-tail";
	}
	become(words, output, errors);
}

/* The child's exit code. If a signal ended it, that counts as a failure. */
static int status_of(pid_t child)
{
	int status = 0;

	while (waitpid(child, &status, 0) < 0 && errno == EINTR)
		;
	return WIFEXITED(status) ? WEXITSTATUS(status) : EXIT_FAILURE;
}

/*
 * journalctl(1) reads its options in order, and ends at --version. So it ends well only if it understood the one
 * before.
 */
bool log_journal_knows_time(const char *time)
{
	int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
	char *since = NULL;
	pid_t child = -1;
	int status = CANNOT_RUN;

	if (nowhere >= 0 && asprintf(&since, "--since=%s", time) >= 0)
		child = fork();
	if (child == 0)
		become((const char *[]){"journalctl", since, "--version", NULL}, nowhere, nowhere);
	if (child > 0)
		status = status_of(child);
	if (nowhere >= 0)
		close(nowhere);
	free(since);
	return status == EXIT_SUCCESS || status == CANNOT_RUN;
}

/* --- its output --------------------------------------------------------------------------------------------------- */

/* A field that is one string of digits. */
static bool read_digits(const json_t *entry, const char *field, unsigned long long *number)
{
	const char *text = json_string_value(json_object_get(entry, field));
	char *end;

	if (!text || *text < '0' || *text > '9')
		return false;
	errno = 0;
	*number = strtoull(text, &end, 10);
	return !errno && !*end;
}

/* A message is a string, or bytes as numbers if it is not UTF-8. Anything else has no text. */
static struct word read_message(const json_t *message, char bytes[static MESSAGE_MAX])
{
	struct word word = {bytes, 0};
	size_t i;
	json_t *byte;

	if (json_is_string(message))
		return (struct word){json_string_value(message), json_string_length(message)};
	json_array_foreach(message, i, byte)
	{
		if (!json_is_integer(byte) || i == MESSAGE_MAX)
			break;
		bytes[word.size++] = (char)(unsigned char)json_integer_value(byte);
	}
	return word;
}

static bool take_entry(const char *text, size_t size, bool (*take)(void *, const struct log_entry *), void *context)
{
	json_t *entry = json_loadb(text, size, JSON_ALLOW_NUL, NULL);
	unsigned long long time, sender;
	char bytes[MESSAGE_MAX];
	bool more = true;

	/* Without a sender it is none of a process's. */
	if (read_digits(entry, "__REALTIME_TIMESTAMP", &time) && read_digits(entry, "_UID", &sender) &&
		sender <= UINT32_MAX) {
		const struct log_entry read = {
			time, (uint32_t)sender, read_message(json_object_get(entry, "MESSAGE"), bytes)};

		more = take(context, &read);
	}
	json_decref(entry);
	return more;
}

static void read_entries(FILE *from, bool (*take)(void *, const struct log_entry *), void *context)
{
	char *line = NULL;
	size_t room = 0;
	ssize_t size;

	while ((size = getline(&line, &room, from)) > 0 && take_entry(line, (size_t)size, take, context))
		;
	free(line);
}

/* The first line that journalctl wrote on its standard error. */
static void read_why(int errors, char why[static LOG_JOURNAL_WHY])
{
	char text[LOG_JOURNAL_WHY / 4];
	ssize_t size = pread(errors, text, sizeof(text), 0);
	struct word line = {text, 0};

	while (size > 0 && line.size < (size_t)size && text[line.size] != '\n')
		line.size++;
	text_append_escaped(why, LOG_JOURNAL_WHY, line);
}

/* Start it: what it prints can be read from `from`, and what it complains of will be in `errors`. */
static bool start(const struct log_query *query, pid_t *child, FILE **from, int *errors)
{
	int ends[2] = {-1, -1};

	fflush(stdout);
	*errors = memfd_create("tapgate-log", MFD_CLOEXEC);
	if (*errors < 0 || pipe2(ends, O_CLOEXEC) < 0 || !(*from = fdopen(ends[0], "r")) || (*child = fork()) < 0)
		return false;
	if (*child == 0)
		run_journalctl(query, ends[1], *errors);
	close(ends[1]);
	return true;
}

enum log_journal log_journal_read(const struct log_query *query,
	bool (*take)(void *context, const struct log_entry *entry), void *context, char why[static LOG_JOURNAL_WHY])
{
	int errors, status;
	bool enough;
	pid_t child;
	FILE *from;

	*why = '\0';
	if (!start(query, &child, &from, &errors)) {
		text_append(why, LOG_JOURNAL_WHY, "it cannot be started: %s", strerror(errno));
		return LOG_JOURNAL_FAILED;
	}
	read_entries(from, take, context);
	enough = !feof(from);
	/* It would end at its next line, by SIGPIPE; who follows would wait for that. */
	if (enough)
		kill(child, SIGTERM);
	fclose(from);
	status = status_of(child);
	if (enough)
		status = EXIT_SUCCESS;
	if (status != EXIT_SUCCESS && status != CANNOT_RUN)
		read_why(errors, why);
	close(errors);
	return status == CANNOT_RUN ? LOG_JOURNAL_NONE : status ? LOG_JOURNAL_FAILED : LOG_JOURNAL_READ;
}
