// SPDX-License-Identifier: MIT
/* Policy files: opened as the caller, read whole, and believed only if nobody but root can have written them. */
#include "judge/judge.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <unistd.h>

/* --- trust -------------------------------------------------------------------------------------------------------- */

/* Whether nobody but root can have written what a descriptor leads to. */

enum {
	OVERFLOW_ID = 65534, /* how an id looks that a user namespace does not map */
	WRITE_BY_OTHERS = 022,
	FUSE_MAGIC = 0x65735546,
};

/*
 * Whether 65534 is no account here but stands for ids outside of this user namespace: no line of the map, "inside
 * outside count", covers it. In the initial namespace the one line covers every id.
 */
static bool overflow_is_outside(void)
{
	FILE *map = fopen("/proc/self/uid_map", "re");
	char line[64], *at = line;
	bool outside = false;

	while (map && at && (at = fgets(line, sizeof(line), map))) {
		unsigned long inside = strtoul(at, &at, 10), count;

		strtoul(at, &at, 10);
		count = strtoul(at, NULL, 10);
		outside = inside > OVERFLOW_ID || OVERFLOW_ID - inside >= count;
		at = outside ? line : NULL;
	}
	outside = outside && feof(map);
	if (map)
		fclose(map);
	return outside;
}

/* FUSE as users mount it (fusermount3(1)): always nosuid. As the root of a container it is not. */
static bool is_served_by_user(int fd)
{
	struct statfs system;

	return fstatfs(fd, &system) < 0 || (system.f_type == FUSE_MAGIC && (system.f_flags & ST_NOSUID));
}

bool trust_holds(const struct stat *directory, const struct stat *entry)
{
	return !(directory->st_mode & WRITE_BY_OTHERS) || ((directory->st_mode & S_ISVTX) && entry->st_uid == 0);
}

/* What somebody else has or can have written is to be looked at before it is root's word. */
#define CHOWN "an administrator can look at it and run: chown root"
#define CHMOD "an administrator can run: chmod go-w"
#define MOVE  "an administrator can move the file out of"

/* What keeps a file or a directory from being believed, and what an administrator can do: its path follows. */
struct trust_problem {
	const char *what, *cure; /* cure NULL: `what` is all there is to say */
};

static const struct trust_problem
	directory_owner = {"a directory on the way to it does not belong to root", CHOWN},
	directory_mode = {"a directory on the way to it can be written by others than root", CHMOD},
	directory_served = {"a directory on the way to it is a mount of a user's", MOVE},
	file_kind = {"it is not a regular file", NULL},
	file_unknown = {"its owner is not known in this user namespace; start the virtual machine outside of it", NULL},
	file_owner = {"it does not belong to root", CHOWN},
	file_mode = {"it can be written by others than root", CHMOD}, file_served = {"it is a mount of a user's", MOVE};
static const struct trust_problem trust_no_hold = {
	"a directory on the way to it can be written by others than root, and what it leads to there is not root's",
	MOVE};

/*
 * What keeps a directory on the way to a policy file, or the file itself, from being believed; NULL if nothing does.
 * Both look at what was opened, never at a name: its owner, its mode (an ACL that lets others write shows in the
 * group's bits, acl(5)), and that its file system is not one that a user serves (fuse(4)) and so says of owners what
 * the user likes. In a user namespace a directory may also belong to somebody outside of it, whom that namespace's root
 * could not stop anyway (user_namespaces(7)). In a directory that others may write, and that is sticky, it is not
 * settled by this alone: ask trust_holds of each entry.
 */
static const struct trust_problem *trust_directory_problem(int fd, const struct stat *status)
{
	if (status->st_uid != 0 && !(status->st_uid == OVERFLOW_ID && overflow_is_outside()))
		return &directory_owner;
	if ((status->st_mode & WRITE_BY_OTHERS) && !(status->st_mode & S_ISVTX))
		return &directory_mode;
	return is_served_by_user(fd) ? &directory_served : NULL;
}

static const struct trust_problem *trust_file_problem(int fd, const struct stat *status)
{
	if (!S_ISREG(status->st_mode))
		return &file_kind;
	if (status->st_uid == OVERFLOW_ID && overflow_is_outside())
		return &file_unknown;
	if (status->st_uid != 0)
		return &file_owner;
	if (status->st_mode & WRITE_BY_OTHERS)
		return &file_mode;
	return is_served_by_user(fd) ? &file_served : NULL;
}

/* --- the way to a file -------------------------------------------------------------------------------------------- */

enum {
	LINKS_MAX = 16, /* symbolic links on the way to one file */
};

#define LARGER "the policy is larger than 4 MiB"

/* A way through the tree: where it stands, and what is left to go. Descriptors are -1 when there is none. */
struct walk {
	int directory;
	struct stat status; /* of the directory */
	int file;
	char way[128]; /* to where it stands or looks, without links; for messages, which show less: cut if longer */
	char rest[PATH_MAX];
	unsigned int links;
	bool lists; /* what is looked for is a directory */
	struct policy_why *why;
};

static enum policy_read refused(struct walk *walk, const char *problem)
{
	snprintf(walk->why->text, sizeof(walk->why->text), "%s", problem);
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
	snprintf(walk->why->text, sizeof(walk->why->text), "%s (uid %u, mode %04o); %s '%s'", problem->what,
		status->st_uid, status->st_mode & 07777U, problem->cure, *way ? way : "/");
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
	size_t skip = strspn(walk->rest, "/");
	size_t size = strcspn(walk->rest + skip, "/");

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

	if (!next_component(walk, component)) {
		if (!walk->lists)
			return refused(walk, "it is a directory");
		walk->file = openat(walk->directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		return walk->file < 0 ? failed(walk) : POLICY_READ;
	}
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
	} else if (walk->lists || walk->rest[strspn(walk->rest, "/")]) {
		result = refused(walk, strerror(ENOTDIR));
	} else {
		text_append(walk->way, sizeof(walk->way), "/%s", component);
		walk->file =
			openat(walk->directory, component, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
		if (walk->file < 0 && errno == EACCES && (status.st_mode & S_IROTH))
			result = refused(walk,
				"everybody may read it by its mode, yet this user may not, by its group, an access control list or a security module");
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
		return refused(walk, LARGER);
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

/* An entry of a directory as getdents64(2) has it. */
struct entry {
	uint64_t inode;
	int64_t offset;
	uint16_t size;
	uint8_t type;
	char name[];
};

/* The names in a directory. Not by opendir(3), which makes calls that the helper's sandbox has no other need of. */
static enum policy_read read_names(struct walk *walk, size_t limit, struct policy_file *file)
{
	_Alignas(struct entry) char entries[4096];
	const struct entry *entry;
	ssize_t n;

	file->text = malloc(limit + 1);
	if (!file->text)
		return refused(walk, strerror(ENOMEM));
	while ((n = syscall(SYS_getdents64, walk->file, entries, sizeof(entries))) > 0) {
		for (ssize_t at = 0; at < n; at += entry->size) {
			entry = (const struct entry *)(const void *)(entries + at);
			if (strlen(entry->name) >= limit - file->size)
				return refused(walk, LARGER);
			memcpy(file->text + file->size, entry->name, strlen(entry->name) + 1);
			file->size += strlen(entry->name) + 1;
		}
	}
	return n < 0 ? failed(walk) : POLICY_READ;
}

enum policy_read files_read(
	void *context, const char *path, size_t limit, struct policy_file *file, struct policy_why *why)
{
	struct walk walk = {.directory = -1, .file = -1, .why = why, .lists = path[0] && path[strlen(path) - 1] == '/'};
	enum policy_read result;

	(void)context;
	*file = (struct policy_file){0};
	if ((size_t)snprintf(walk.rest, sizeof(walk.rest), "%s", path) >= sizeof(walk.rest))
		return refused(&walk, strerror(ENAMETOOLONG));
	result = stand_in_root(&walk);
	while (result == POLICY_READ && walk.file < 0)
		result = step(&walk);
	if (result == POLICY_READ)
		result = walk.lists ? read_names(&walk, limit, file) : read_whole(&walk, limit, file);
	if (result == POLICY_REFUSED && walk.lists && strcmp(why->text, strerror(ENOENT)) == 0) {
		snprintf(why->text, sizeof(why->text), "%s; an administrator can run: install -d '", strerror(ENOENT));
		text_append_escaped(why->text, sizeof(why->text), (struct word){path, strlen(path) - 1});
		text_append(why->text, sizeof(why->text), "'");
	}
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
