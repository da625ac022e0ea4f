// SPDX-License-Identifier: MIT
/*
 * A main() for fuzz targets: runs the target once over each file given, and over each file in a directory given, so
 * that a corpus can be replayed with any compiler. Judges nothing: a finding is the target's abort or a sanitizer's.
 */
#include <dirent.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "tests/fuzz/fuzz.h"

static void fail(const char *path)
{
	perror(path);
	exit(1);
}

/* Exactly as large as the file, so that a sanitizer sees a byte read too many. */
static void replay_file(const char *path, size_t size)
{
	FILE *file = fopen(path, "rb");
	uint8_t *data = malloc(size ? size : 1);

	if (!file || !data || fread(data, 1, size, file) != size)
		fail(path);
	fclose(file);
	fprintf(stderr, "replay: %s\n", path);
	LLVMFuzzerTestOneInput(data, size);
	free(data);
}

/* Returns how many files were replayed. */
static unsigned int replay(const char *path)
{
	unsigned int count = 0;
	struct dirent *entry;
	struct stat status;
	DIR *directory;

	if (stat(path, &status) < 0)
		fail(path);
	if (!S_ISDIR(status.st_mode)) {
		replay_file(path, (size_t)status.st_size);
		return 1;
	}
	directory = opendir(path);
	if (!directory)
		fail(path);
	while ((entry = readdir(directory))) {
		char name[4096];

		if (entry->d_name[0] == '.')
			continue;
		if (snprintf(name, sizeof(name), "%s/%s", path, entry->d_name) >= (int)sizeof(name)) {
			errno = ENAMETOOLONG;
			fail(path);
		}
		count += replay(name);
	}
	closedir(directory);
	return count;
}

int main(int argc, char **argv)
{
	unsigned int count = 0;

	for (int i = 1; i < argc; i++)
		count += replay(argv[i]);
	/* A corpus that is not there must not look like one that passed. */
	if (count == 0) {
		fprintf(stderr, "replay: no inputs; usage: FILE|DIRECTORY...\n");
		return 1;
	}
	printf("%u inputs replayed\n", count);
	return 0;
}
