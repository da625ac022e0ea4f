// SPDX-License-Identifier: MIT
/* Where the installed helper is, and who may run it: for what starts it, and for what says how. */
#include "tool/tool.h"

#include <errno.h>
#include <grp.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define HELPER "tapgate-helper"
/* The directory that it is in: of its own name, or one beside that which this program is in, wherever that is. */
#ifndef HELPER_PLACE
#define HELPER_PLACE "libexec"
#endif

/*
 * Where the helper is. TAPGATE_HELPER counts: whoever sets it could run that program directly, and this process has no
 * rights but its user's.
 */
bool helper_find(char *path)
{
	const char *said = secure_getenv("TAPGATE_HELPER");
	size_t used;
	ssize_t size;

	if (said && *said)
		return snprintf(path, PATH_MAX, "%s", said) < PATH_MAX ||
		       say_error("TAPGATE_HELPER: %s", strerror(ENAMETOOLONG));
#ifdef HELPER_WRAPPER
	return snprintf(path, PATH_MAX, "%s", HELPER_WRAPPER) > 0;
#endif
	if (HELPER_PLACE[0] == '/')
		return snprintf(path, PATH_MAX, "%s", HELPER_PLACE "/" HELPER) > 0;
	size = readlink("/proc/self/exe", path, PATH_MAX - 1);
	if (size < 0)
		return say_error("cannot find out where " HELPER " is (/proc/self/exe: %s); say it in TAPGATE_HELPER",
			strerror(errno));
	path[size] = '\0';
	for (int i = 0; i < 2; i++) { /* the program's own name, and the directory's */
		char *slash = strrchr(path, '/');

		*(slash ? slash : path) = '\0';
	}
	used = strlen(path);
	return (size_t)snprintf(path + used, PATH_MAX - used, "/%s/" HELPER, HELPER_PLACE) < PATH_MAX - used ||
	       say_error("cannot find out where " HELPER " is: %s", strerror(ENAMETOOLONG));
}

/* An access control list shows in the group's bits (acl(5)). */
bool helper_say_who(const char *path, char *who, size_t size)
{
	struct stat status;
	const struct group *group;

	who[0] = '\0';
	if (stat(path, &status) < 0 || (status.st_mode & 0001))
		return false;
	group = getgrgid(status.st_gid);
	text_append(who, size, "only root");
	if ((status.st_mode & 0010) && group)
		text_append(who, size, " and members of %s",
			QUOTED(((struct word){group->gr_name, strlen(group->gr_name)})));
	else if (status.st_mode & 0010)
		text_append(who, size, " and members of group %u", status.st_gid);
	text_append(who, size, " may run ");
	text_append_escaped(who, size, (struct word){path, strlen(path)});
	return true;
}
