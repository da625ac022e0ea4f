// SPDX-License-Identifier: MIT
/* Settings of interfaces and families under /proc/sys/net that are numbers. */
#include "tool/tool.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

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
