// SPDX-License-Identifier: MIT
/* What must not change: all of the world that a helper could change, as text. */
#include "tests/netns/internal.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <ifaddrs.h>
#include <linux/ipv6_route.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

typedef void visit(FILE *out, const char *directory, const char *name);

static void each_entry(FILE *out, const char *directory, visit *function)
{
	struct dirent **entries = NULL;
	int count = scandir(directory, &entries, NULL, alphasort);

	for (int i = 0; i < count; i++) {
		if (entries[i]->d_name[0] != '.')
			function(out, directory, entries[i]->d_name);
		free(entries[i]);
	}
	free(entries);
}

static void show_link(FILE *out, const char *directory, const char *name)
{
	char path[512], master[512] = "";

	snprintf(path, sizeof(path), "%s/%s/master", directory, name);
	(void)!readlink(path, master, sizeof(master) - 1);
	fprintf(out, "link %s index=%s mac=%s type=%s mtu=%s flags=%s alias='%s' master=%s tun=%s owner=%s\n", name,
		first_line("%s/%s/ifindex", directory, name), first_line("%s/%s/address", directory, name),
		first_line("%s/%s/addr_assign_type", directory, name), first_line("%s/%s/mtu", directory, name),
		first_line("%s/%s/flags", directory, name), first_line("%s/%s/ifalias", directory, name), master,
		first_line("%s/%s/tun_flags", directory, name), first_line("%s/%s/owner", directory, name));
}

static void show_setting(FILE *out, const char *directory, const char *name)
{
	if (strcmp(name, "stable_secret") != 0)
		fprintf(out, "%s/%s = %s\n", directory, name, first_line("%s/%s", directory, name));
}

static void show_settings(FILE *out, const char *directory, const char *name)
{
	char path[512];

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	each_entry(out, path, show_setting);
}

static void show_file(FILE *out, const char *directory, const char *name)
{
	char path[512];
	struct stat file;

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	if (lstat(path, &file) < 0)
		return;
	fprintf(out, "file %s inode=%lu mode=%o owner=%u:%u size=%ld changed=%ld.%09ld\n", path,
		(unsigned long)file.st_ino, file.st_mode, file.st_uid, file.st_gid, (long)file.st_size,
		(long)file.st_ctim.tv_sec, (long)file.st_ctim.tv_nsec);
	if (S_ISDIR(file.st_mode))
		each_entry(out, path, show_file);
}

static unsigned int bits_of(const struct sockaddr *mask)
{
	const unsigned char *bytes =
		mask->sa_family == AF_INET
			? (const unsigned char *)&((const struct sockaddr_in *)(const void *)mask)->sin_addr
			: ((const struct sockaddr_in6 *)(const void *)mask)->sin6_addr.s6_addr;
	unsigned int bits = 0;

	for (size_t i = 0; i < (mask->sa_family == AF_INET ? 4U : 16U); i++)
		bits += (unsigned int)__builtin_popcount(bytes[i]);
	return bits;
}

/* The addresses of a link, or of all of them with their links' names. */
static void show_addresses(FILE *out, const char *link)
{
	struct ifaddrs *list = NULL;
	char host[INET6_ADDRSTRLEN];

	must(getifaddrs(&list) == 0, "getifaddrs");
	for (struct ifaddrs *a = list; a; a = a->ifa_next) {
		int family = a->ifa_addr ? a->ifa_addr->sa_family : AF_UNSPEC;
		const void *address = &((const struct sockaddr_in *)(const void *)a->ifa_addr)->sin_addr;

		if (family == AF_INET6)
			address = &((const struct sockaddr_in6 *)(const void *)a->ifa_addr)->sin6_addr;
		if ((family != AF_INET && family != AF_INET6) || (link && strcmp(link, a->ifa_name) != 0))
			continue;
		inet_ntop(family, address, host, sizeof(host));
		if (link)
			fprintf(out, "%s%s/%u", ftell(out) > 0 ? " " : "", host, bits_of(a->ifa_netmask));
		else
			fprintf(out, "address %s %s/%u\n", a->ifa_name, host, bits_of(a->ifa_netmask));
	}
	freeifaddrs(list);
}

const char *addresses_on(const char *link)
{
	static char text[512];
	FILE *out = fmemopen(text, sizeof(text), "w");

	assert_non_null(out);
	text[0] = '\0';
	show_addresses(out, link);
	fclose(out);
	return text;
}

static void show_routes(FILE *out)
{
	char line[512];
	FILE *file = fopen("/proc/net/route", "re");

	while (file && fgets(line, sizeof(line), file))
		fprintf(out, "route %s", line);
	if (file)
		fclose(file);
}

/*
 * Without what the kernel adds on its own time: a route to each address of the host's, soon after its link came up, and
 * one for multicast, when a bridge has its first port. (The addresses are shown above.)
 */
static void show_ipv6_routes(FILE *out)
{
	char destination[64], prefix[8], gateway[64], link[64];
	unsigned int metric, flags;
	FILE *file = fopen("/proc/net/ipv6_route", "re");

	while (file && fscanf(file, "%63s %7s %*s %*s %63s %x %*s %*s %x %63s", destination, prefix, gateway, &metric,
			       &flags, link) == 6) {
		if (!(flags & RTF_LOCAL) && strncmp(destination, "ff", 2) != 0)
			fprintf(out, "route %s/%s by %s metric %u flags %x dev %s\n", destination, prefix, gateway,
				metric, flags, link);
	}
	if (file)
		fclose(file);
}

static void show_rules(FILE *out)
{
	char line[1024];
	FILE *rules = have_guards() ? popen("nft -a -t list ruleset", "re") : NULL;

	while (rules && fgets(line, sizeof(line), rules))
		fputs(line, out);
	if (rules)
		pclose(rules);
}

char *snapshot(void)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	assert_non_null(out);
	each_entry(out, "/sys/class/net", show_link);
	show_addresses(out, NULL);
	show_routes(out);
	show_ipv6_routes(out);
	show_rules(out);
	each_entry(out, "/etc", show_file);
	show_setting(out, "/proc/sys/net/ipv4", "ip_forward");
	each_entry(out, "/proc/sys/net/ipv4/conf", show_settings);
	each_entry(out, "/proc/sys/net/ipv6/conf", show_settings);
	fclose(out);
	return text;
}

/* The lines of one text that the other lacks. */
static void show_missing(const char *mark, const char *text, const char *other)
{
	for (const char *at = text; *at; at += strcspn(at, "\n") + (strchr(at, '\n') != NULL)) {
		char *line = strndup(at, strcspn(at, "\n") + 1);

		if (!strstr(other, line))
			print_error("%s %s", mark, line);
		free(line);
	}
}

void assert_unchanged(char *before)
{
	char *after = snapshot();
	bool same = strcmp(before, after) == 0;

	if (!same) {
		show_missing("-", before, after);
		show_missing("+", after, before);
	}
	free(before);
	free(after);
	if (!same)
		fail_msg("something was left or changed");
}

static void count_tap(FILE *out, const char *directory, const char *name)
{
	if (*first_line("%s/%s/tun_flags", directory, name))
		fputc('1', out);
}

unsigned int count_taps(void)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	assert_non_null(out);
	each_entry(out, "/sys/class/net", count_tap);
	fclose(out);
	free(text);
	return (unsigned int)size;
}
