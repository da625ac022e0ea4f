// SPDX-License-Identifier: MIT
/* What server a network should have, as whom and with which words, and how it stands with the one that it has. */
#include <net/if.h> /* before the kernel's, which give way to it (linux/libc-compat.h) */

#include "dhcp/internal.h"

#include <dirent.h>
#include <fcntl.h>
#include <grp.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <poll.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tool/tool.h"

#define NO_ACCOUNT                                                                                                     \
	"there is neither a user 'dnsmasq' nor a 'nobody', each with its group, to run dnsmasq as; add one, as dnsmasq's package does"

bool dnsmasq_wanted(const struct policy_network *network)
{
	return policy_has_server(network);
}

const char *dnsmasq_wanted_program(const struct policy_network *network)
{
	return network->mode == MODE_STANDALONE ? DNSMASQ_KEEPER : "dnsmasq";
}

static const char *find_program(void)
{
	static const char *const programs[] = {"/usr/sbin/dnsmasq", "/usr/bin/dnsmasq", "/usr/local/sbin/dnsmasq"};

	for (size_t i = 0; i < sizeof(programs) / sizeof(*programs); i++) {
		if (access(programs[i], X_OK) == 0)
			return programs[i];
	}
	return NULL;
}

bool dnsmasq_is_installed(void)
{
	return find_program() != NULL;
}

bool dnsmasq_find_account(struct dnsmasq_account *account)
{
	static const char *const users[] = {"dnsmasq", "nobody"};

	for (size_t i = 0; i < sizeof(users) / sizeof(*users); i++) {
		const struct passwd *user = getpwnam(users[i]);
		const struct group *group = user && user->pw_uid != 0 ? getgrgid(user->pw_gid) : NULL;

		if (!group || strlen(group->gr_name) >= sizeof(account->group))
			continue;
		snprintf(account->user, sizeof(account->user), "%s", users[i]);
		snprintf(account->group, sizeof(account->group), "%s", group->gr_name);
		account->uid = user->pw_uid;
		account->gid = user->pw_gid;
		return true;
	}
	return false;
}

/* Beside the helper, where `make install` puts both. */
bool dnsmasq_find_keeper(char path[static PATH_MAX])
{
	char *slash = helper_find(path) ? strrchr(path, '/') : NULL;
	size_t left = slash ? (size_t)(path + PATH_MAX - slash) : 0;

	return slash && (size_t)snprintf(slash, left, "/" DNSMASQ_KEEPER) < left;
}

/* Of a standalone network: its interfaces come and go, and it is tapgate-dhcp that serves them. */
static bool plan_alone(const struct policy_network *network, struct dnsmasq_words *words, char *why, size_t why_size)
{
	struct dnsmasq_account account;
	char program[PATH_MAX];

	if (!dnsmasq_find_keeper(program))
		text_append(why, why_size, DNSMASQ_NO_KEEPER);
	else if (!dnsmasq_find_account(&account))
		text_append(why, why_size, NO_ACCOUNT);
	else if (serve_words(words, program, &account, network))
		return true;
	else
		text_append(why, why_size, "its command line would be too long");
	return false;
}

bool dnsmasq_plan(const struct policy_network *network, struct dnsmasq_words *words, char *why, size_t why_size)
{
	struct dnsmasq_account account;
	const char *program = find_program();
	unsigned int index = if_nametoindex(network->name);

	*why = '\0';
	if (network->mode == MODE_STANDALONE)
		return plan_alone(network, words, why, why_size);
	if (!program)
		text_append(why, why_size,
			"there is no dnsmasq in /usr/sbin, /usr/bin or /usr/local/sbin; install the package 'dnsmasq-base' (Debian, Ubuntu) or 'dnsmasq'");
	else if (!dnsmasq_find_account(&account))
		text_append(why, why_size, NO_ACCOUNT);
	else if (index == 0)
		text_append(why, why_size, "there is no interface '%s' for it to serve", network->name);
	else if (dnsmasq_words(words, program, &account, network, index))
		return true;
	else
		text_append(why, why_size, "its command line would be too long");
	return false;
}

/* --- as it stands ------------------------------------------------------------------------------------------------- */

enum {
	SETTLE_PATIENCE = 100, /* milliseconds for an answer; it takes one */
	ANSWER_PATIENCE = 900, /* and if it has not come by then */
	DNS = 53,
};

/* Where a network's listens, of IPv4 if it has both: as a socket's address, and as the kernel lists it. */
struct listener {
	struct sockaddr_storage address;
	const char *file;
	char listed[64];
};

static struct listener listener_of(const struct policy_network *network)
{
	const bool ipv4 = network->ipv4.given;
	struct listener listener = {.file = ipv4 ? "/proc/self/net/udp" : "/proc/self/net/udp6"};
	struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(DNS)};
	struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_port = htons(DNS)};
	uint32_t number;

	memcpy(&in.sin_addr, network->ipv4.address, sizeof(in.sin_addr));
	memcpy(&in6.sin6_addr, network->ipv6.address, sizeof(in6.sin6_addr));
	memcpy(&listener.address, ipv4 ? (void *)&in : (void *)&in6, ipv4 ? sizeof(in) : sizeof(in6));
	text_append(listener.listed, sizeof(listener.listed), ": ");
	for (size_t at = 0; at < (ipv4 ? sizeof(in.sin_addr) : sizeof(in6.sin6_addr)); at += sizeof(number)) {
		memcpy(&number, (ipv4 ? network->ipv4.address : network->ipv6.address) + at, sizeof(number));
		text_append(listener.listed, sizeof(listener.listed), "%08" PRIX32, number);
	}
	text_append(listener.listed, sizeof(listener.listed), ":%04X ", DNS);
	return listener;
}

/* How many bytes wait to be read by who listens (udp4_format_sock, net/ipv4/udp.c). */
static uint64_t unread(const struct listener *listener)
{
	FILE *file = fopen(listener->file, "re");
	char line[256];
	uint64_t found = 0;

	while (file && fgets(line, sizeof(line), file)) {
		char *at = strstr(line, listener->listed);

		/* Behind it: who is connected, a state, what waits to be sent, and what to be read. */
		for (int i = 0; at && i < 3; i++)
			at = strchr(at + (i == 0 ? strlen(listener->listed) : 1), i < 2 ? ' ' : ':');
		found += at ? strtoul(at + 1, NULL, 16) : 0;
	}
	if (file)
		fclose(file);
	return found;
}

/* Ask for a name that it knows by itself whether it is there, "internal". A socket for the answer; or -1. */
static int ask(const struct listener *listener)
{
	static const char question[] = "\x74\x67\0\0\0\1\0\0\0\0\0\0\x8internal\0\0\1\0\1";
	const int family = listener->address.ss_family;
	int fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd >= 0 &&
		connect(fd, (const struct sockaddr *)&listener->address,
			family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6)) == 0 &&
		send(fd, question, sizeof(question) - 1, MSG_NOSIGNAL) > 0)
		return fd;
	if (fd >= 0)
		close(fd);
	return -1;
}

/* Whether an answer comes, whatever. */
static bool is_answered(int fd, int milliseconds)
{
	struct pollfd ready = {.fd = fd, .events = POLLIN};

	return poll(&ready, 1, milliseconds) > 0;
}

/* What the kernel says of a process, from its state on (proc(5), stat); empty: there is none. */
enum { STAT_TEXT = 1024 };
static const char *stat_of(pid_t pid, char text[static STAT_TEXT])
{
	char path[PROC_PATH_MAX];
	const char *name;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	text[run_read(AT_FDCWD, path, text, STAT_TEXT - 1)] = '\0';
	name = strrchr(text, ')');
	return name && name[1] ? name + 2 : "";
}

/* By a signal. (A tracer's stop, 't', is as good.) */
static bool is_stopped(pid_t pid)
{
	char text[STAT_TEXT];
	const char state = *stat_of(pid, text);

	return state == 'T' || state == 't';
}

/*
 * A number that grows whenever a process runs (proc(5)): how often it was switched to something else, and the processor
 * time of one that never is.
 */
static uint64_t work_of(pid_t pid)
{
	enum { FIELDS = 11 }; /* from the state to the first of the two times */
	static const char switches[] = "ctxt_switches:";
	char path[PROC_PATH_MAX], text[4096], *at;
	const char *field;
	uint64_t work = 0;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	text[run_read(AT_FDCWD, path, text, sizeof(text) - 1)] = '\0';
	for (at = text; (at = strstr(at, switches));)
		work += strtoull(at += sizeof(switches) - 1, NULL, 10);
	field = stat_of(pid, text);
	for (int i = 0; field && i < FIELDS; i++)
		field = strchr(field + 1, ' ');
	if (field) {
		work += strtoull(field, &at, 10);
		work += strtoull(at, NULL, 10);
	}
	return work;
}

/*
 * Whether a network's does not read what it is sent, as one that was stopped (SIGSTOP) or hangs: nothing of it ran
 * while something waited to be read. One that cannot be reached, for a firewall's sake, is not called deaf; nor one
 * that guests send more than it can read, which runs all the time: no guest can have it restarted.
 */
static bool is_deaf(const struct policy_network *network, pid_t serves)
{
	const struct listener listener = listener_of(network);
	const int fd = ask(&listener);
	bool deaf = !is_answered(fd, SETTLE_PATIENCE); /* until one that was just stopped has stopped */
	const uint64_t before = deaf ? work_of(serves) : 0;

	deaf = deaf && !is_answered(fd, ANSWER_PATIENCE) && work_of(serves) == before && unread(&listener) > 0;
	if (fd >= 0)
		close(fd);
	return deaf;
}

/* Whether a file is gone that dnsmasq needs. tapgate-dhcp finds it by its pid file, and has no other itself. */
static bool lacks_files(int directory, const struct policy_network *network, pid_t serves)
{
	const char *name = network->name;

	if (run_pid(directory, run_file(name, ".pid").text) != serves)
		return true;
	if (network->mode == MODE_STANDALONE)
		return false;
	return !run_has(directory, name, ".leases") || !run_has(directory, name, ".lease") ||
	       !run_has(directory, name, ".names");
}

enum dnsmasq_state dnsmasq_state(const struct policy_network *network)
{
	struct dnsmasq_words words, wanted;
	struct keeper keeper;
	char why[256];
	int directory = run_directory(false, why, sizeof(why));
	enum dnsmasq_state state = DNSMASQ_RUNNING;

	if (directory < 0)
		return DNSMASQ_ABSENT;
	if (!keeper_find(directory, network->name, &keeper, &words) || keeper.elsewhere || !keeper.serves)
		state = DNSMASQ_ABSENT;
	/* A network that is a copy without its policy (judge/permit.c) has not its guests, and so not all the words. */
	else if (!dnsmasq_wanted(network) || lacks_files(directory, network, keeper.serves) ||
		 (!network->copied && (!dnsmasq_plan(network, &wanted, why, sizeof(why)) || words.size != wanted.size ||
					      memcmp(words.text, wanted.text, wanted.size) != 0)))
		state = DNSMASQ_DIFFERENT;
	close(directory);
	if (state != DNSMASQ_RUNNING)
		return state;
	/* tapgate-dhcp answers on taps alone, where there may be none. */
	return (network->mode == MODE_STANDALONE ? is_stopped(keeper.serves) : is_deaf(network, keeper.serves))
		       ? DNSMASQ_DEAF
		       : DNSMASQ_RUNNING;
}

/* {0}: none of this network namespace. */
static struct keeper keeper_here(const char *name)
{
	struct keeper keeper = {.pid = 0};
	char why[256];
	int directory = run_directory(false, why, sizeof(why));
	bool found = directory >= 0 && keeper_find(directory, name, &keeper, NULL) && !keeper.elsewhere;

	if (directory >= 0)
		close(directory);
	return found ? keeper : (struct keeper){.pid = 0};
}

const char *dnsmasq_program(const char *name)
{
	static struct dnsmasq_words words;
	struct keeper keeper;
	char why[256];
	int directory = run_directory(false, why, sizeof(why));
	bool alone = false;

	if (directory < 0)
		return "dnsmasq";
	/* Of one that has ended meanwhile its files tell: tapgate-dhcp has no leases. */
	if (keeper_find(directory, name, &keeper, &words) && words.size > 0)
		alone = strstr(words.text, "/" DNSMASQ_KEEPER);
	else
		alone = !run_has(directory, name, ".leases");
	close(directory);
	return alone ? DNSMASQ_KEEPER : "dnsmasq";
}

pid_t dnsmasq_pid(const char *name)
{
	return keeper_here(name).serves;
}

pid_t dnsmasq_keeper(const char *name)
{
	return keeper_here(name).pid;
}

void dnsmasq_each(void (*each)(void *context, const char *name), void *context)
{
	static const char tail[] = ".keeper";
	char why[256], name[NAME_MAX_BYTES + 1];
	int fd = run_directory(false, why, sizeof(why));
	DIR *directory = fd >= 0 ? fdopendir(fd) : NULL;
	struct dirent *entry;
	struct keeper keeper;

	while (directory && (entry = readdir(directory))) {
		struct word file = {entry->d_name, strlen(entry->d_name)};

		if (file.size < sizeof(tail) || strcmp(file.at + file.size - (sizeof(tail) - 1), tail) != 0)
			continue;
		file.size -= sizeof(tail) - 1;
		if (word_name_problem(file))
			continue;
		snprintf(name, sizeof(name), "%.*s", (int)file.size, file.at);
		if (!keeper_find(fd, name, &keeper, NULL) || !keeper.elsewhere)
			each(context, name);
	}
	if (directory)
		closedir(directory);
	else if (fd >= 0)
		close(fd);
}
