#include "files/files.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "files/trust.h"

enum {
	LINKS_MAX = 16, /* symbolic links on the way to one file */
};

/* A way through the tree: where it stands, and what is left to go. Descriptors are -1 when there is none. */
struct walk {
	int directory;
	struct stat status; /* of the directory */
	int file;
	char way[PATH_MAX]; /* to where it stands or looks, without links, for messages; cut if it is longer */
	char rest[PATH_MAX];
	unsigned int links;
	char *why;
	size_t why_size;
};

static enum policy_read refused(struct walk *walk, const char *problem)
{
	snprintf(walk->why, walk->why_size, "%s", problem);
	return POLICY_REFUSED;
}

/* A call that failed. What the caller may not see is told from everything else. */
static enum policy_read failed(struct walk *walk)
{
	return errno == EACCES ? POLICY_HIDDEN : refused(walk, strerror(errno));
}

/*
 * Go on if there is no problem; else say what must not be believed, by name, owner and mode, with the command that
 * cures it. The caller got there with its own rights, so it may know.
 */
static enum policy_read believe(struct walk *walk, const struct stat *status, const struct trust_problem *problem)
{
	char way[104] = "";

	if (!problem)
		return POLICY_READ;
	if (!problem->cure)
		return refused(walk, problem->what);
	text_append_escaped(way, sizeof(way), (struct word){walk->way, strlen(walk->way)});
	snprintf(walk->why, walk->why_size, "%s (uid %u, mode %04o); %s '%s'", problem->what, status->st_uid,
		status->st_mode & 07777U, problem->cure, *way ? way : "/");
	return POLICY_REFUSED;
}

/* Stand in a directory, by a descriptor that becomes the walk's own. */
static enum policy_read stand_in(struct walk *walk, int directory)
{
	if (walk->directory >= 0)
		close(walk->directory);
	walk->directory = directory;
	if (directory < 0 || fstat(directory, &walk->status) < 0)
		return failed(walk);
	return believe(walk, &walk->status, trust_directory_problem(directory, &walk->status));
}

static enum policy_read stand_in_root(struct walk *walk)
{
	walk->way[0] = '\0';
	return stand_in(walk, open("/", O_PATH | O_DIRECTORY | O_CLOEXEC));
}

/* Put a symbolic link's target before the rest of the way. */
static enum policy_read follow(struct walk *walk, int link)
{
	char target[PATH_MAX], rest[PATH_MAX];
	ssize_t size = readlinkat(link, "", target, sizeof(target));

	if (size <= 0)
		return failed(walk);
	if (++walk->links > LINKS_MAX)
		return refused(walk, "too many symbolic links");
	if ((size_t)snprintf(rest, sizeof(rest), "%.*s/%s", (int)size, target, walk->rest) >= sizeof(rest))
		return refused(walk, strerror(ENAMETOOLONG));
	memcpy(walk->rest, rest, sizeof(rest));
	return target[0] == '/' ? stand_in_root(walk) : POLICY_READ;
}

/* Take the next component off the rest of the way, cut if it is too long for the kernel, which will say so. */
static bool next_component(struct walk *walk, char component[static NAME_MAX + 2])
{
	size_t skip = strspn(walk->rest, "/"), size = strcspn(walk->rest + skip, "/");

	snprintf(component, NAME_MAX + 2, "%.*s", (int)size, walk->rest + skip);
	memmove(walk->rest, walk->rest + skip + size, strlen(walk->rest + skip + size) + 1);
	return size > 0;
}

/* Go one component, of which the last one is opened. */
static enum policy_read step(struct walk *walk)
{
	char component[NAME_MAX + 2];
	struct stat status;
	enum policy_read result = POLICY_READ;
	int fd;

	if (!next_component(walk, component))
		return refused(walk, "it is a directory");
	fd = openat(walk->directory, component, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &status) < 0) {
		result = failed(walk);
	} else if (!trust_holds(&walk->status, &status)) {
		result = believe(walk, &walk->status, &trust_no_hold);
	} else if (S_ISDIR(status.st_mode)) {
		text_append(walk->way, sizeof(walk->way), "/%s", component);
		return stand_in(walk, fd);
	} else if (S_ISLNK(status.st_mode)) {
		result = follow(walk, fd);
	} else if (!S_ISREG(status.st_mode)) {
		result = refused(walk, "it is not a regular file");
	} else if (walk->rest[strspn(walk->rest, "/")]) {
		result = refused(walk, strerror(ENOTDIR));
	} else {
		text_append(walk->way, sizeof(walk->way), "/%s", component);
		walk->file =
			openat(walk->directory, component, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
		if (walk->file < 0 && errno == EACCES && (status.st_mode & S_IROTH))
			result =
				refused(walk, "everybody may read it by its mode, yet this user may not, by its group, "
					      "an access control list or a security module");
		else if (walk->file < 0)
			result = failed(walk);
	}
	if (fd >= 0)
		close(fd);
	return result;
}

static enum policy_read read_whole(struct walk *walk, size_t limit, struct policy_file *file)
{
	struct stat before, after;
	enum policy_read believed;
	ssize_t n = 1;

	if (fstat(walk->file, &before) < 0)
		return failed(walk);
	believed = believe(walk, &before, trust_file_problem(walk->file, &before));
	if (believed != POLICY_READ)
		return believed;
	if ((uint64_t)before.st_size > limit)
		return refused(walk, "the policy is larger than 4 MiB");
	*file = (struct policy_file){.device = before.st_dev, .inode = before.st_ino};
	file->text = malloc((size_t)before.st_size + 1);
	if (!file->text)
		return refused(walk, strerror(ENOMEM));
	while (file->size <= (size_t)before.st_size && n > 0) {
		n = read(walk->file, file->text + file->size, (size_t)before.st_size + 1 - file->size);
		if (n < 0)
			return failed(walk);
		file->size += (size_t)n;
	}
	/* It may be written while it is read. (The time of change is no sign: anybody may make it a hard link.) */
	if (fstat(walk->file, &after) < 0 || file->size != (size_t)before.st_size || after.st_size != before.st_size ||
		after.st_mtim.tv_sec != before.st_mtim.tv_sec || after.st_mtim.tv_nsec != before.st_mtim.tv_nsec)
		return refused(walk, "it changed while it was read; try again");
	return POLICY_READ;
}

enum policy_read files_read(
	void *context, const char *path, size_t limit, struct policy_file *file, char *why, size_t why_size)
{
	struct walk walk = {.directory = -1, .file = -1, .why = why, .why_size = why_size};
	enum policy_read result;

	(void)context;
	*file = (struct policy_file){0};
	if ((size_t)snprintf(walk.rest, sizeof(walk.rest), "%s", path) >= sizeof(walk.rest))
		return refused(&walk, strerror(ENAMETOOLONG));
	result = stand_in_root(&walk);
	while (result == POLICY_READ && walk.file < 0)
		result = step(&walk);
	if (result == POLICY_READ)
		result = read_whole(&walk, limit, file);
	if (result != POLICY_READ) {
		free(file->text);
		file->text = NULL;
	}
	if (walk.file >= 0)
		close(walk.file);
	if (walk.directory >= 0)
		close(walk.directory);
	return result;
}
