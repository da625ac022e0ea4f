#include "cli/load.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/check/findings.h"
#include "cli/commands.h"
#include "cli/say.h"
#include "files/files.h"
#include "policy/text.h"

#define HIDDEN_FROM_ROOT "root may not read it, and so cannot know all of the policy"

/* The file that is meant, by its absolute path; NULL and errno if there is none. */
static const char *find(const char *path, char absolute[static PATH_MAX])
{
	return path ? realpath(path, absolute) : POLICY_FILE;
}

/* What a user may not read is hidden from that user. Were it so from root, networks would seem to be gone. */
static const char *hidden_from_root(const struct policy *policy)
{
	return geteuid() == 0 ? policy_hidden(policy) : NULL;
}

/* A policy that is not there is for an administrator to make; a file that was named may be a network's name. */
static void add_way_out(const char *path, struct policy_error *error)
{
	if (!error->line && strcmp(error->what, strerror(ENOENT)) == 0)
		text_append(error->what, sizeof(error->what), "%s",
			path ? "; expected the file of a policy"
			     : "; an administrator can create it, of root's and mode 0644");
}

struct policy *load_policy(const char *path)
{
	const struct policy_reader reader = {.read = files_read};
	struct policy_error error;
	struct policy *policy;
	char text[704], absolute[PATH_MAX];
	const char *found = find(path, absolute);

	if (!found)
		return say_error("%s: %s", path, strerror(errno)), NULL;
	policy = policy_load(&reader, found, &error);
	if (!policy) {
		add_way_out(path, &error);
		policy_error_print(&error, text, sizeof(text));
		say_error("%s", text);
	}
	if (policy && hidden_from_root(policy)) {
		say_error("%s: " HIDDEN_FROM_ROOT, hidden_from_root(policy));
		policy_free(policy);
		return NULL;
	}
	return policy;
}

void load_tell_hidden(const struct policy *policy)
{
	const char *path = policy_hidden(policy);

	if (path)
		say_error("uid %u may not read %s, so networks that it names are not shown; an administrator can open "
			  "it to its readers (chgrp and chmod 640, or chmod 644)",
			getuid(), QUOTED(((struct word){path, strlen(path)})));
}

static void keep_error(void *context, const struct policy_error *error, struct word line)
{
	struct policy_error whole = *error;
	const struct finding_place place = {whole.file, whole.line, whole.column, line, 0};

	add_way_out(NULL, &whole);
	findings_add_at(context, FINDING_ERROR, &place, "%s", whole.what);
}

/* An error of a file as a whole. */
static struct policy *keep_file_error(struct findings *findings, const char *path, const char *what)
{
	struct policy_error error = {.line = 0};

	text_append_escaped(error.file, sizeof(error.file), (struct word){path, strlen(path)});
	text_append(error.what, sizeof(error.what), "%s", what);
	add_way_out(path, &error);
	keep_error(findings, &error, (struct word){NULL, 0});
	return NULL;
}

/* A file that is to become the policy: where it lies, others than root may write it. */
struct draft {
	const char *path; /* NULL: it is the policy itself */
	char why[320];	  /* why the helper would not believe it there; empty: it would */
};

static bool read_plainly(const char *path, size_t limit, struct policy_file *file)
{
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	struct stat status;
	ssize_t size = -1;

	*file = (struct policy_file){.text = NULL};
	if (fd >= 0 && fstat(fd, &status) == 0 && S_ISREG(status.st_mode) && (uint64_t)status.st_size <= limit) {
		*file = (struct policy_file){.device = status.st_dev, .inode = status.st_ino};
		file->text = malloc((size_t)status.st_size + 1);
		size = file->text ? read(fd, file->text, (size_t)status.st_size + 1) : -1;
	}
	if (fd >= 0)
		close(fd);
	if (size < 0 || size != status.st_size) {
		free(file->text);
		file->text = NULL;
		return false;
	}
	file->size = (size_t)size;
	return true;
}

static enum policy_read read_draft(
	void *context, const char *path, size_t limit, struct policy_file *file, char *why, size_t why_size)
{
	struct draft *draft = context;
	enum policy_read result = files_read(NULL, path, limit, file, why, why_size);

	if (result != POLICY_REFUSED || !draft->path || strcmp(path, draft->path) != 0 ||
		!read_plainly(path, limit, file))
		return result;
	snprintf(draft->why, sizeof(draft->why), "%s", why);
	return POLICY_READ;
}

struct policy *load_check(const char *path, struct findings *findings)
{
	char absolute[PATH_MAX];
	const char *found = find(path, absolute), *hidden;
	struct draft draft = {.path = found && strcmp(found, POLICY_FILE) != 0 ? found : NULL};
	const struct policy_reader reader = {.read = read_draft, .context = &draft};
	struct policy *policy;
	size_t count;

	if (!found)
		return keep_file_error(findings, path, strerror(errno));
	policy = policy_check(&reader, found, keep_error, findings, &count);
	if (draft.why[0]) {
		struct word name = {found, strlen(found)};

		findings_add_note(findings, "%s would be refused where it lies: %s", QUOTED(name), draft.why);
	}
	if (!policy) {
		findings->found[FINDING_ERROR] = count;
		return NULL;
	}
	hidden = hidden_from_root(policy);
	if (hidden) {
		keep_file_error(findings, hidden, HIDDEN_FROM_ROOT);
		policy_free(policy);
		return NULL;
	}
	if (policy_hidden(policy)) {
		struct word name = {policy_hidden(policy), strlen(policy_hidden(policy))};

		findings_add_note(findings, "this user may not read %s, so what it says was not checked", QUOTED(name));
	}
	return policy;
}

const struct policy_network *load_find(const struct policy *policy, const char *name)
{
	size_t count;
	const struct policy_network *networks = policy_networks(policy, &count);

	for (size_t i = 0; i < count; i++) {
		if (strcmp(networks[i].name, name) == 0)
			return &networks[i];
	}
	return NULL;
}

bool load_managed(const struct policy *policy, const char *name)
{
	const struct policy_network *network = load_find(policy, name);
	struct word word = {name, strlen(name)};

	if (!network)
		return say_error("no network %s in " POLICY_FILE "; see: tapgate networks", QUOTED(word));
	if (network->mode == MODE_BRIDGED)
		return say_error("network %s is bridged (%s:%u): its bridge is not tapgate's to make", QUOTED(word),
			network->file, network->line);
	return true;
}

int load_known(struct policy **policy, const char *name)
{
	struct word word = {name, strlen(name)};

	if (!*policy && !(*policy = load_policy(NULL)))
		return STATUS_POLICY;
	if (load_find(*policy, name))
		return STATUS_DONE;
	say_error("no network %s has taps, or stands in " POLICY_FILE "; see: tapgate networks", QUOTED(word));
	return STATUS_USAGE;
}
