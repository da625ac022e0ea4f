#include "cli/networks/dnsmasq_drift.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/networks/dnsmasq_files.h"

enum { PATIENCE = 1000, DNS = 53 }; /* milliseconds for an answer; it takes one */

/* --- does it hear? ----------------------------------------------------------------------------------------------- */

/* How many bytes wait to be read by who listens at an address (udp4_format_sock, net/ipv4/udp.c). */
static uint64_t unread(const unsigned char address[static 4])
{
	FILE *file = fopen("/proc/self/net/udp", "re");
	char line[256], listener[32];
	uint32_t number;
	uint64_t found = 0;

	memcpy(&number, address, sizeof(number));
	snprintf(listener, sizeof(listener), ": %08" PRIX32 ":%04X ", number, DNS);
	while (file && fgets(line, sizeof(line), file)) {
		char *at = strstr(line, listener);

		/* Behind it: who is connected, a state, what waits to be sent, and what to be read. */
		for (int i = 0; at && i < 3; i++)
			at = strchr(at + (i == 0 ? strlen(listener) : 1), i < 2 ? ' ' : ':');
		found += at ? strtoul(at + 1, NULL, 16) : 0;
	}
	if (file)
		fclose(file);
	return found;
}

/* Ask for a name that it knows by itself whether it is there, "internal". Whether it answered, whatever. */
static bool answers(const unsigned char address[static 4])
{
	static const char question[] = "\x74\x67\0\0\0\1\0\0\0\0\0\0\x8internal\0\0\1\0\1";
	struct sockaddr_in host = {.sin_family = AF_INET, .sin_port = htons(DNS)};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct pollfd ready = {.fd = fd, .events = POLLIN};
	bool answered;

	memcpy(&host.sin_addr, address, sizeof(host.sin_addr));
	answered = fd >= 0 && connect(fd, (struct sockaddr *)&host, sizeof(host)) == 0 &&
		   send(fd, question, sizeof(question) - 1, MSG_NOSIGNAL) > 0 && poll(&ready, 1, PATIENCE) > 0;
	if (fd >= 0)
		close(fd);
	return answered;
}

bool dnsmasq_is_deaf(const struct policy_network *network)
{
	const unsigned char *address = network->ipv4.address;

	return !answers(address) && unread(address) > 0;
}

/* --- its files --------------------------------------------------------------------------------------------------- */

static bool exists(int directory, const char *name, const char *tail)
{
	char file[NAME_MAX_BYTES + 16];
	struct stat status;

	snprintf(file, sizeof(file), "%s%s", name, tail);
	return fstatat(directory, file, &status, AT_SYMLINK_NOFOLLOW) == 0;
}

bool dnsmasq_lacks_files(const char *name, const struct dnsmasq_words *words)
{
	char why[256];
	int directory = dnsmasq_directory(false, why, sizeof(why));
	struct dnsmasq_words record;
	bool lacks;

	if (directory < 0)
		return true;
	lacks = !dnsmasq_read_record(directory, name, &record) || record.size != words->size ||
		memcmp(record.text, words->text, words->size) != 0 || !exists(directory, name, ".leases") ||
		!exists(directory, name, ".lease") || !exists(directory, name, ".names");
	close(directory);
	return lacks;
}

static void copy(int from, const char *path)
{
	char bytes[4096];
	int to = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
	off_t at = 0;
	ssize_t n = 1;

	while (to >= 0 && n > 0) {
		n = pread(from, bytes, sizeof(bytes), at);
		if (n > 0 && write(to, bytes, (size_t)n) != n)
			break;
		at += n > 0 ? n : 0;
	}
	if (to >= 0)
		close(to);
}

void dnsmasq_save_leases(const char *name, pid_t pid)
{
	char path[64], removed[96], link[96], way[64];
	struct dirent *entry;
	DIR *directory;

	snprintf(path, sizeof(path), DNSMASQ_DIRECTORY "/%.15s.leases", name);
	if (access(path, F_OK) == 0)
		return;
	snprintf(removed, sizeof(removed), "%s (deleted)", path);
	snprintf(way, sizeof(way), "/proc/%d/fd", (int)pid);
	directory = opendir(way);
	while (directory && (entry = readdir(directory))) {
		ssize_t size = readlinkat(dirfd(directory), entry->d_name, link, sizeof(link) - 1);
		int file;

		link[size > 0 ? size : 0] = '\0';
		if (strcmp(link, removed) != 0)
			continue;
		file = openat(dirfd(directory), entry->d_name, O_RDONLY | O_CLOEXEC);
		if (file >= 0) {
			copy(file, path);
			close(file);
		}
		break;
	}
	if (directory)
		closedir(directory);
}
