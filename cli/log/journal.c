#include "cli/log/journal.h"

#include <errno.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/say.h"

enum { CANNOT_RUN = 127, MESSAGE_MAX = 4096 };

/*
 * In the child. Only what came by /dev/log as one datagram can be the helper's: there is then one MESSAGE, which is its
 * text, whereas senders of journald's own protocol write fields as they like.
 */
static _Noreturn void run_journalctl(const uint32_t *uid, bool follow, int output)
{
	static char locale[] = "LC_ALL=C";
	char *const environment[] = {locale, NULL};
	static const char *const places[] = {"/usr/bin/journalctl", "/bin/journalctl"};
	const char *words[12] = {"journalctl", "--quiet", "--no-pager", "--output=json", "--output-fields=MESSAGE,_UID",
		"SYSLOG_IDENTIFIER=tapgate-helper", "SYSLOG_FACILITY=10", "_TRANSPORT=syslog"};
	size_t count = 8;
	char user[32];

	if (uid) {
		snprintf(user, sizeof(user), "_UID=%u", *uid);
		words[count++] = user;
	}
	if (follow) {
		words[count++] = "--follow";
		words[count] = "--no-tail";
	}
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	signal(SIGPIPE, SIG_DFL);
	if (dup2(output, STDOUT_FILENO) >= 0) {
		for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++)
			execve(places[i], (char *const *)(uintptr_t)words, environment);
	}
	_exit(CANNOT_RUN);
}

/* --- its output -------------------------------------------------------------------------------------------------- */

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

enum log_journal log_journal_read(
	const uint32_t *uid, bool follow, bool (*take)(void *context, const struct log_entry *entry), void *context)
{
	int ends[2], status = 0;
	pid_t child;
	FILE *from;

	fflush(stdout);
	if (pipe(ends) < 0 || (child = fork()) < 0 || (child > 0 && !(from = fdopen(ends[0], "r")))) {
		say_error("cannot start journalctl: %s", strerror(errno));
		return LOG_JOURNAL_FAILED;
	}
	if (child == 0) {
		close(ends[0]);
		run_journalctl(uid, follow, ends[1]);
	}
	close(ends[1]);
	read_entries(from, take, context);
	/* It would end at its next line, by SIGPIPE; who follows would wait for that. */
	if (!feof(from))
		kill(child, SIGTERM);
	fclose(from);
	while (waitpid(child, &status, 0) < 0 && errno == EINTR)
		;
	if (WIFEXITED(status) && WEXITSTATUS(status) == CANNOT_RUN)
		return LOG_JOURNAL_NONE;
	return WIFEXITED(status) && WEXITSTATUS(status) != 0 ? LOG_JOURNAL_FAILED : LOG_JOURNAL_READ;
}
