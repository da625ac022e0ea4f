// SPDX-License-Identifier: MIT
/* The policy, loaded for a command; and its networks by name. */
#include "tool/tool.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/nsfs.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "judge/judge.h"
#include "policy/text.h"

#define HIDDEN_FROM_ROOT "root may not read it, and so cannot know all of the policy"

/* The file that is meant, by its absolute path; NULL and errno if there is none. */
static const char *find(const char *path, char absolute[static PATH_MAX])
{
	return path ? realpath(path, absolute) : POLICY_FILE;
}

/*
 * A file that a user may not read says nothing to that user. Root must be able to read all: else `up` would take the
 * networks of that file for networks that the policy no longer has.
 */
static const char *hidden_from_root(const struct policy *policy)
{
	return geteuid() == 0 ? policy_hidden(policy) : NULL;
}

/* Say what to do if the file does not exist. After `check`, a word that is no file may have been meant as a network. */
static void add_way_out(const char *path, struct policy_error *error)
{
	if (!error->line && strcmp(error->what, strerror(ENOENT)) == 0)
		text_append(error->what, sizeof(error->what), "%s",
			path ? "; expected the file of a policy"
			     : "; an administrator can create it, of root's and mode 0644");
}

struct policy *load_policy(const char *path)
{
	const struct policy_reader reader = {.read = files_read, .services = &policy_services};
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
	if (policy)
		load_choose(policy);
	return policy;
}

void load_tell_hidden(const struct policy *policy)
{
	const char *path = policy_hidden(policy);

	if (path)
		say_error(
			"uid %u may not read %s, so networks that it names are not shown; an administrator can open it to its readers (chgrp and chmod 640, or chmod 644)",
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

/* The descriptor that is meant, as by a shell's <(...), which is /dev/fd/63; -1: path is of a file. */
static int descriptor_of(const char *path)
{
	static const char *const directories[] = {"/dev/fd/", "/proc/self/fd/"};
	uint32_t fd;

	if (path && (strcmp(path, "-") == 0 || strcmp(path, "/dev/stdin") == 0))
		return STDIN_FILENO;
	for (size_t i = 0; path && i < sizeof(directories) / sizeof(*directories); i++) {
		const size_t size = strlen(directories[i]);

		if (strncmp(path, directories[i], size) == 0 &&
			word_number((struct word){path + size, strlen(path + size)}, INT_MAX, &fd))
			return (int)fd;
	}
	return -1;
}

const char *load_name(const char *path)
{
	const int fd = descriptor_of(path);

	return !path ? POLICY_FILE : fd == STDIN_FILENO ? "<stdin>" : fd > 0 ? "<descriptor>" : path;
}

/* A file that is to become the policy. It may still lie where others than root can write. */
struct draft {
	const char *path;      /* NULL: it is the policy itself */
	int fd;		       /* what it is read from; -1: from path */
	struct policy_why why; /* why the helper would not believe it there; empty: it would */
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

/* To its end, as a pipe has no size to ask for. */
static bool read_descriptor(int fd, size_t limit, struct policy_file *file)
{
	char *text = malloc(limit + 1);
	ssize_t size = text ? file_read_all(fd, text, limit + 1) : -1;

	if (size < 0 || (size_t)size > limit) {
		free(text);
		return false;
	}
	*file = (struct policy_file){.text = text, .size = (size_t)size};
	return true;
}

static enum policy_read read_draft(
	void *context, const char *path, size_t limit, struct policy_file *file, struct policy_why *why)
{
	struct draft *draft = context;
	enum policy_read result;

	if (draft->fd >= 0 && strcmp(path, draft->path) == 0) {
		if (read_descriptor(draft->fd, limit, file))
			return POLICY_READ;
		snprintf(why->text, sizeof(why->text), "it cannot be read, or is larger than 4 MiB");
		return POLICY_REFUSED;
	}
	result = files_read(NULL, path, limit, file, why);

	if (result != POLICY_REFUSED || !draft->path || strcmp(path, draft->path) != 0 ||
		!read_plainly(path, limit, file))
		return result;
	draft->why = *why;
	return POLICY_READ;
}

struct policy *load_check(const char *path, struct findings *findings)
{
	char absolute[PATH_MAX];
	const int fd = descriptor_of(path);
	const char *found = fd >= 0 ? load_name(path) : find(path, absolute), *hidden;
	struct draft draft = {.path = found && strcmp(found, POLICY_FILE) != 0 ? found : NULL, .fd = fd};
	const struct policy_reader reader = {.read = read_draft, .context = &draft, .services = &policy_services};
	struct policy *policy;
	size_t count;

	if (!found)
		return keep_file_error(findings, path, strerror(errno));
	policy = policy_check(&reader, found, keep_error, findings, &count);
	if (draft.why.text[0]) {
		struct word name = {found, strlen(found)};

		findings_add_note(findings, "%s would be refused where it lies: %s", QUOTED(name), draft.why.text);
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
	load_choose(policy);
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

/* --- who is shown what -------------------------------------------------------------------------------------------- */

/*
 * Any user is root, or whoever else, in a user namespace of his own (unshare --user). The ids there count where the
 * network belongs to that namespace or to one in it, as in a container; on the host's network they do not. Of others
 * the kernel does not tell which they are (EPERM, ioctl_ns(2)). One without user namespaces never does.
 */
static bool is_of_network(void)
{
	const int net = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	const int owner = net < 0 ? -1 : ioctl(net, NS_GET_USERNS);

	if (owner >= 0)
		close(owner);
	if (net >= 0)
		close(net);
	return owner >= 0 || (net >= 0 && access("/proc/self/ns/user", F_OK) < 0);
}

uid_t load_viewer(void)
{
	static bool is_known;
	static uid_t viewer;

	if (!is_known)
		viewer = is_of_network() ? getuid() : VIEWER_NOBODY;
	is_known = true;
	return viewer;
}

static void name_nothing(void *context, const char *name)
{
	(void)context;
	(void)name;
}

/*
 * Of a network that the policy does not name nobody knows whether its line said list=own, which may be gone for a
 * moment only: unless a rule for all may be why there is somebody.
 */
static bool is_open(const struct policy *policy, const char *name)
{
	size_t count;
	const struct policy_network *networks = policy_networks(policy, &count), *network;
	struct policy_network bridged;
	bool open = !policy_hidden(policy);

	network = *name ? load_named(policy, name, &bridged) : NULL;
	if (network)
		return network->file ? !(network->options.given & OPTION_LIST) : open;
	if (*name)
		open &= policy_each_name(policy, name_nothing, NULL);
	for (size_t i = 0; i < count; i++)
		open &= !(networks[i].options.given & OPTION_LIST);
	return open;
}

bool load_shows(const struct policy *policy, const char *network, uid_t owner)
{
	const uid_t viewer = load_viewer();

	return viewer == 0 || (owner == viewer && viewer != VIEWER_NOBODY) || (policy && is_open(policy, network));
}

/* --- names -------------------------------------------------------------------------------------------------------- */

struct names {
	void (*each)(void *context, const char *name);
	void *context;
	void *seen; /* a tree (tsearch(3)) of those that `each` was called with */
};

static int compare_names(const void *a, const void *b)
{
	return strcmp(a, b);
}

static void see_name(void *context, const char *name)
{
	struct names *names = context;
	const char **node = tsearch(name, &names->seen, compare_names);

	if (!node || *node == name) /* without memory it is told again */
		names->each(names->context, name);
}

static void keep_item(void *item)
{
	(void)item; /* it is the policy's */
}

bool load_each_name(const struct policy *policy, void (*each)(void *context, const char *name), void *context)
{
	struct names names = {each, context, NULL};
	bool all = policy_each_name(policy, see_name, &names);

	tdestroy(names.seen, keep_item);
	return all;
}

struct search {
	const char *name;
	bool found;
	struct guess guess;
};

static void look_at_name(void *context, const char *name)
{
	struct search *search = context;

	search->found |= strcmp(name, search->name) == 0;
	guess_try(&search->guess, name);
}

static struct search search_for(const struct policy *policy, const char *name)
{
	struct search search = {.name = name, .guess = {.said = name}};

	policy_each_name(policy, look_at_name, &search);
	return search;
}

const struct policy_network *load_named(const struct policy *policy, const char *name, struct policy_network *bridged)
{
	const struct policy_network *network = load_find(policy, name);

	if (network || !search_for(policy, name).found)
		return network;
	*bridged = (struct policy_network){.mode = MODE_BRIDGED};
	snprintf(bridged->name, sizeof(bridged->name), "%s", name);
	return bridged;
}

struct guess_text load_guess(const struct policy *policy, const char *name)
{
	const struct search search = search_for(policy, name);

	return guess_text(&search.guess);
}

bool load_say_unknown(const struct policy *policy, const char *name)
{
	return say_error("no network %s in " POLICY_FILE "%s; see: tapgate networks",
		QUOTED(((struct word){name, strlen(name)})), load_guess(policy, name).text);
}

void load_say_missing(const struct policy *policy, const char *name)
{
	struct search search = search_for(policy, name);

	if (!search.found)
		say_error("there is no network '%s'%s; see: tapgate networks", name, guess_text(&search.guess).text);
}

bool load_managed(const struct policy *policy, const char *name)
{
	struct policy_network bridged;
	const struct policy_network *network = load_named(policy, name, &bridged);

	if (!network)
		return load_say_unknown(policy, name);
	if (!network->file)
		return say_error("network '%s' has no line in " POLICY_FILE ", so its bridge is not tapgate's to make",
			network->name);
	if (network->mode == MODE_BRIDGED)
		return say_error("network '%s' is bridged (%s:%u): its bridge is not tapgate's to make", network->name,
			network->file, network->line);
	return true;
}

int load_known(struct policy **policy, const char *name)
{
	struct search search;

	if (!*policy && !(*policy = load_policy(NULL)))
		return STATUS_POLICY;
	search = search_for(*policy, name);
	if (search.found)
		return STATUS_DONE;
	say_error("no network %s has taps, or stands in " POLICY_FILE "%s; see: tapgate networks",
		QUOTED(((struct word){name, strlen(name)})), guess_text(&search.guess).text);
	return STATUS_USAGE;
}
