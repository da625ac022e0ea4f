#include "files/trust.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>

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

static const struct trust_problem
	directory_owner = {"a directory on the way to it does not belong to root", CHOWN},
	directory_mode = {"a directory on the way to it can be written by others than root", CHMOD},
	directory_served = {"a directory on the way to it is a mount of a user's", MOVE},
	file_kind = {"it is not a regular file", NULL},
	file_unknown = {"its owner is not known in this user namespace; start the virtual machine outside of it", NULL},
	file_owner = {"it does not belong to root", CHOWN},
	file_mode = {"it can be written by others than root", CHMOD}, file_served = {"it is a mount of a user's", MOVE};
const struct trust_problem trust_no_hold = {"a directory on the way to it can be written by others than root, and what "
					    "it leads to there is not root's",
	MOVE};

const struct trust_problem *trust_directory_problem(int fd, const struct stat *status)
{
	if (status->st_uid != 0 && !(status->st_uid == OVERFLOW_ID && overflow_is_outside()))
		return &directory_owner;
	if ((status->st_mode & WRITE_BY_OTHERS) && !(status->st_mode & S_ISVTX))
		return &directory_mode;
	return is_served_by_user(fd) ? &directory_served : NULL;
}

const struct trust_problem *trust_file_problem(int fd, const struct stat *status)
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
