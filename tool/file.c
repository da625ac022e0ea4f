// SPDX-License-Identifier: MIT
/*
 * Files that are read as they are, and settings under /proc/sys/net. Those of the policy are judge/files.c's, which
 * reads them as far as they can be believed.
 */
#include "tool/tool.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

ssize_t file_read_all(int fd, char *text, size_t size)
{
	size_t used = 0;
	ssize_t n = 1;

	for (; used < size && n > 0; used += n > 0 ? (size_t)n : 0)
		n = read(fd, text + used, size - used);
	return n < 0 ? -errno : (ssize_t)used;
}

ssize_t file_read(int directory, const char *path, char *text, size_t size)
{
	int fd = openat(directory, path, O_RDONLY | O_NONBLOCK | O_CLOEXEC | (*path == '/' ? 0 : O_NOFOLLOW));
	ssize_t used = fd < 0 ? -errno : file_read_all(fd, text, size - 1);

	if (fd >= 0)
		close(fd);
	text[used > 0 ? used : 0] = '\0';
	return used;
}

char *file_read_whole(const char *path, size_t limit, size_t *size)
{
	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct stat status;
	char *text = NULL;
	ssize_t used = 0;

	*size = 0;
	if (fd < 0)
		return NULL;
	if (fstat(fd, &status) == 0 && S_ISREG(status.st_mode) && (uint64_t)status.st_size <= limit)
		text = malloc((size_t)status.st_size + 1);
	else
		errno = EINVAL;
	if (text)
		used = file_read_all(fd, text, (size_t)status.st_size);
	close(fd);
	*size = used > 0 ? (size_t)used : 0;
	return text;
}

/* --- settings ----------------------------------------------------------------------------------------------------- */

/* Numbers of interfaces and families. */

static FILE *open_it(int family, const char *interface, const char *setting, const char *mode)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "/proc/sys/net/ipv%c/%s%s%s%s", family == AF_INET ? '4' : '6',
		interface ? "conf/" : "", interface ? interface : "", interface ? "/" : "", setting);
	return fopen(path, mode);
}

int sysctl_read(int family, const char *interface, const char *setting)
{
	FILE *file = open_it(family, interface, setting, "re");
	char text[32], *end = text;
	long value = -1;

	if (!file)
		return -1;
	if (fgets(text, sizeof(text), file))
		value = strtol(text, &end, 10);
	fclose(file);
	return end > text && value >= 0 && value <= INT_MAX ? (int)value : -1;
}

int sysctl_write(int family, const char *interface, const char *setting, int value)
{
	FILE *file = open_it(family, interface, setting, "we");
	int error;

	if (!file)
		return -errno;
	error = fprintf(file, "%d\n", value) < 0 ? -EIO : 0;
	if (fclose(file) != 0)
		error = -errno;
	return error;
}
