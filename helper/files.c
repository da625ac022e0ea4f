#include "helper/files.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	LINKS_MAX = 16,		/* symbolic links on the way to one file */
	OVERFLOW_ID = 65534,	/* how an id that a user namespace does not map looks (user_namespaces(7)) */
	WRITE_BY_OTHERS = 0022, /* an ACL that grants writing shows in the group's bits (acl(5)) */
};

/* A way through the tree: where it stands, and what is left to go. Descriptors are -1 when there is none. */
struct walk {
	int directory;
	char rest[PATH_MAX];
	unsigned int links;
	char *why;
	size_t why_size;
};

static enum policy_read refused(struct walk *walk, const char *problem)
{
	walk->why[0] = '\0';
	text_append(walk->why, walk->why_size, "%s", problem);
	return POLICY_REFUSED;
}

/* A call that failed. What the caller may not see is told from everything else. */
static enum policy_read failed(struct walk *walk)
{
	return errno == EACCES ? POLICY_HIDDEN : refused(walk, strerror(errno));
}

/* Whether ids are mapped here: the map of the initial user namespace is one line, all ids onto themselves. */
static bool in_user_namespace(void)
{
	char map[64];
	unsigned long inside = 1, outside = 1, count = 0;
	int fd = open("/proc/self/uid_map", O_RDONLY | O_CLOEXEC);
	ssize_t size = fd < 0 ? -1 : read(fd, map, sizeof(map) - 1);
	char *end = map;

	if (fd >= 0)
		close(fd);
	if (size <= 0)
		return false;
	map[size] = '\0';
	inside = strtoul(end, &end, 10);
	outside = strtoul(end, &end, 10);
	count = strtoul(end, &end, 10);
	return !(inside == 0 && outside == 0 && count == UINT32_MAX);
}

/* A directory in which nobody but root, or whoever stands above this user namespace, can replace a file. */
static bool check_directory(struct walk *walk, const struct stat *status)
{
	if (status->st_uid != 0 && !(status->st_uid == OVERFLOW_ID && in_user_namespace()))
		return refused(walk, "a directory on the way to it does not belong to root") == POLICY_READ;
	if (status->st_mode & WRITE_BY_OTHERS)
		return refused(walk, "a directory on the way to it can be written by others than root") == POLICY_READ;
	return true;
}

/* Stand in a directory, by a descriptor that becomes the walk's own. */
static enum policy_read stand_in(struct walk *walk, int directory)
{
	struct stat status;

	if (walk->directory >= 0)
		close(walk->directory);
	walk->directory = directory;
	if (directory < 0 || fstat(directory, &status) < 0)
		return failed(walk);
	return check_directory(walk, &status) ? POLICY_READ : POLICY_REFUSED;
}

/* Put a symbolic link's target before the rest of the way. */
static enum policy_read follow(struct walk *walk, int link)
{
	char target[PATH_MAX];
	ssize_t size = readlinkat(link, "", target, sizeof(target));
	size_t rest = strlen(walk->rest);

	if (size <= 0)
		return failed(walk);
	if (++walk->links > LINKS_MAX)
		return refused(walk, "too many symbolic links");
	if ((size_t)size + 1 + rest >= sizeof(walk->rest))
		return refused(walk, strerror(ENAMETOOLONG));
	memmove(walk->rest + size + 1, walk->rest, rest + 1);
	memcpy(walk->rest, target, (size_t)size);
	walk->rest[size] = '/';
	if (target[0] != '/')
		return POLICY_READ;
	return stand_in(walk, open("/", O_PATH | O_DIRECTORY | O_CLOEXEC));
}

/* Take the next component off the rest of the way; false at the end. */
static bool next_component(struct walk *walk, char component[static NAME_MAX + 2])
{
	size_t skip = strspn(walk->rest, "/"), size = strcspn(walk->rest + skip, "/");
	size_t keep = size <= NAME_MAX ? size : NAME_MAX + 1; /* too long for the kernel, which will say so */

	memcpy(component, walk->rest + skip, keep);
	component[keep] = '\0';
	memmove(walk->rest, walk->rest + skip + size, strlen(walk->rest + skip + size) + 1);
	return size > 0;
}

/*
 * Go one component. Returns POLICY_READ with *file the opened file if that was the last one, with *file -1 if the way
 * goes on.
 */
static enum policy_read step(struct walk *walk, const char *component, int *file)
{
	int fd = openat(walk->directory, component, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	struct stat status;
	enum policy_read result;

	if (fd < 0 || fstat(fd, &status) < 0) {
		result = failed(walk);
	} else if (S_ISDIR(status.st_mode)) {
		return stand_in(walk, fd);
	} else if (S_ISLNK(status.st_mode)) {
		result = follow(walk, fd);
	} else if (!S_ISREG(status.st_mode)) {
		result = refused(walk, "it is not a regular file");
	} else if (walk->rest[strspn(walk->rest, "/")]) {
		result = refused(walk, strerror(ENOTDIR));
	} else {
		*file = openat(walk->directory, component, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
		if (*file < 0 && errno == EACCES && (status.st_mode & S_IROTH))
			result =
				refused(walk, "everybody may read it by its mode, yet this user may not, by its group, "
					      "an access control list or a security module");
		else
			result = *file < 0 ? failed(walk) : POLICY_READ;
	}
	if (fd >= 0)
		close(fd);
	return result;
}

static enum policy_read open_file(struct walk *walk, int *file)
{
	char component[NAME_MAX + 2];
	enum policy_read result = stand_in(walk, open("/", O_PATH | O_DIRECTORY | O_CLOEXEC));

	while (result == POLICY_READ && *file < 0) {
		if (!next_component(walk, component))
			return refused(walk, "it is a directory");
		result = step(walk, component, file);
	}
	return result;
}

/* What counts is the file that was opened, whatever its name leads to by now. */
static const char *file_problem(const struct stat *status, size_t limit)
{
	if (!S_ISREG(status->st_mode))
		return "it is not a regular file";
	if (status->st_uid == OVERFLOW_ID && in_user_namespace())
		return "its owner is not known in this user namespace";
	if (status->st_uid != 0)
		return "it does not belong to root";
	if (status->st_mode & WRITE_BY_OTHERS)
		return "it can be written by others than root";
	if ((uint64_t)status->st_size > limit)
		return "the policy is larger than 4 MiB";
	return NULL;
}

static bool same_content(const struct stat *a, const struct stat *b)
{
	return a->st_size == b->st_size && a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
	       a->st_mtim.tv_nsec == b->st_mtim.tv_nsec && a->st_ctim.tv_sec == b->st_ctim.tv_sec &&
	       a->st_ctim.tv_nsec == b->st_ctim.tv_nsec;
}

static enum policy_read read_whole(struct walk *walk, int fd, size_t limit, struct policy_file *file)
{
	struct stat before, after;
	const char *problem;
	ssize_t n = 1;

	if (fstat(fd, &before) < 0)
		return failed(walk);
	problem = file_problem(&before, limit);
	if (problem)
		return refused(walk, problem);
	*file = (struct policy_file){.device = before.st_dev, .inode = before.st_ino};
	file->text = malloc((size_t)before.st_size + 1);
	if (!file->text)
		return refused(walk, strerror(ENOMEM));
	while (file->size <= (size_t)before.st_size && n > 0) {
		n = read(fd, file->text + file->size, (size_t)before.st_size + 1 - file->size);
		if (n < 0)
			return failed(walk);
		file->size += (size_t)n;
	}
	if (fstat(fd, &after) < 0 || file->size != (size_t)before.st_size || !same_content(&before, &after))
		return refused(walk, "it changed while it was read; try again");
	return POLICY_READ;
}

enum policy_read files_read(
	void *context, const char *path, size_t limit, struct policy_file *file, char *why, size_t why_size)
{
	struct walk walk = {.directory = -1, .why = why, .why_size = why_size};
	enum policy_read result;
	int fd = -1;

	(void)context;
	*file = (struct policy_file){0};
	if (strlen(path) >= sizeof(walk.rest))
		return refused(&walk, strerror(ENAMETOOLONG));
	memcpy(walk.rest, path, strlen(path) + 1);
	result = open_file(&walk, &fd);
	if (result == POLICY_READ)
		result = read_whole(&walk, fd, limit, file);
	if (result != POLICY_READ) {
		free(file->text);
		file->text = NULL;
	}
	if (fd >= 0)
		close(fd);
	if (walk.directory >= 0)
		close(walk.directory);
	return result;
}
