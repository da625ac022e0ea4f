#include "cli/networks/dnsmasq_files.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/run/launch.h"

/* --- the directory ----------------------------------------------------------------------------------------------- */

int dnsmasq_directory(bool make, char *why, size_t why_size)
{
	struct stat status;
	int fd;

	*why = '\0';
	if (make && mkdir(DNSMASQ_DIRECTORY, 0755) == 0)
		(void)!chmod(DNSMASQ_DIRECTORY, 0755); /* whatever the umask; only root writes to /run */
	fd = open(DNSMASQ_DIRECTORY, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd >= 0 && fstat(fd, &status) == 0 && status.st_uid == 0 && !(status.st_mode & (S_IWGRP | S_IWOTH)))
		return fd;
	if (fd < 0 && errno != ENOTDIR && errno != ELOOP) {
		text_append(why, why_size, "cannot open " DNSMASQ_DIRECTORY ": %s", strerror(errno));
		return -1;
	}
	text_append(why, why_size, DNSMASQ_DIRECTORY " is %s, expected a directory that only root can write; remove it",
		fd < 0 ? "no directory" : "for others to write");
	if (fd >= 0)
		close(fd);
	errno = EPERM;
	return -1;
}

/* --- the record of its words ------------------------------------------------------------------------------------- */

struct file_name {
	char text[NAME_MAX_BYTES + sizeof(".words.new")];
};

static struct file_name file_name(const char *name, const char *tail)
{
	struct file_name file;

	snprintf(file.text, sizeof(file.text), "%s%s", name, tail);
	return file;
}

bool dnsmasq_write_record(
	int directory, const char *name, const struct dnsmasq_words *words, char *why, size_t why_size)
{
	const struct file_name file = file_name(name, ".words"), new = file_name(name, ".words.new");
	int fd = openat(directory, new.text, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	bool whole = fd >= 0 && write(fd, words->text, words->size) == (ssize_t)words->size;

	if (fd >= 0)
		whole = close(fd) == 0 && whole;
	if (whole && renameat(directory, new.text, directory, file.text) == 0)
		return true;
	text_append(why, why_size, "cannot write " DNSMASQ_DIRECTORY "/%s: %s", file.text, strerror(errno));
	if (fd >= 0)
		unlinkat(directory, new.text, 0);
	return false;
}

bool dnsmasq_read_record(int directory, const char *name, struct dnsmasq_words *words)
{
	const struct file_name file = file_name(name, ".words");
	int fd = openat(directory, file.text, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct stat status;
	ssize_t size = -1;

	if (fd >= 0 && fstat(fd, &status) == 0 && S_ISREG(status.st_mode) && status.st_uid == 0 &&
		!(status.st_mode & (S_IWGRP | S_IWOTH)))
		size = read(fd, words->text, sizeof(words->text));
	if (fd >= 0)
		close(fd);
	words->size = size > 0 ? (size_t)size : 0;
	return dnsmasq_words_cut(words);
}

/* Beside the helper, where `make install` puts both. */
static bool find_program(char path[static PATH_MAX])
{
	char *slash = launch_find_helper(path) ? strrchr(path, '/') : NULL;

	return slash && (size_t)snprintf(slash, (size_t)(path + PATH_MAX - slash), "/tapgate-lease") <
				(size_t)(path + PATH_MAX - slash);
}

bool dnsmasq_prepare(int directory, const char *name, const char *user, char *why, size_t why_size)
{
	const struct file_name link = file_name(name, ".lease"), names = file_name(name, ".names");
	const struct passwd *account = getpwnam(user);
	char program[PATH_MAX];

	if (account && find_program(program) && (unlinkat(directory, link.text, 0) == 0 || errno == ENOENT) &&
		symlinkat(program, directory, link.text) == 0 &&
		(mkdirat(directory, names.text, 0755) == 0 || errno == EEXIST) &&
		fchownat(directory, names.text, account->pw_uid, account->pw_gid, AT_SYMLINK_NOFOLLOW) == 0)
		return true;
	text_append(why, why_size, "cannot prepare " DNSMASQ_DIRECTORY "/%s and /%s: %s", link.text, names.text,
		strerror(errno));
	return false;
}

void dnsmasq_forget(int directory, const char *name)
{
	unlinkat(directory, file_name(name, ".words").text, 0);
	unlinkat(directory, file_name(name, ".pid").text, 0);
	unlinkat(directory, file_name(name, ".lease").text, 0);
}
