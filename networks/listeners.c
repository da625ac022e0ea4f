// SPDX-License-Identifier: MIT
/* Finds ports that a policy forwards and something on the host has: by the kernel's lists of sockets. */
#include "networks/networks.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A socket that waits for whoever comes. */
struct listener {
	bool ipv6, udp;
	unsigned char address[16]; /* network byte order; all 0: any */
	unsigned long port;
};

/* In /proc/net/tcp and the like (proc_pid_net(5)): states of a socket that listens, of UDP of one without a peer. */
enum { TCP_LISTENS = 0x0a, UDP_LISTENS = 0x07 };

/* "   0: 0100007F:1F90 00000000:0000 0A ...", an address as words in the order of this machine's bytes. */
static bool read_listener(char *line, struct listener *listener)
{
	const size_t words = listener->ipv6 ? 4 : 1, digits = words * 8;
	char *at = strchr(line, ':'), *end;

	memset(listener->address, 0, sizeof(listener->address));
	at = at ? at + 1 + strspn(at + 1, " ") : line;
	if (strspn(at, "0123456789ABCDEF") != digits || at[digits] != ':')
		return false;
	listener->port = strtoul(at + digits + 1, &end, 16);
	for (size_t i = 0; i < words; i++) {
		char word[9] = "";
		uint32_t number;

		memcpy(word, at + 8 * i, 8);
		number = (uint32_t)strtoul(word, NULL, 16);
		memcpy(listener->address + 4 * i, &number, 4);
	}
	at = end + strspn(end, " ");
	at += strcspn(at, " ");
	return strtoul(at, NULL, 16) == (listener->udp ? UDP_LISTENS : TCP_LISTENS);
}

static bool is_any(const struct listener *listener)
{
	static const unsigned char any[16];

	return memcmp(listener->address, any, sizeof(any)) == 0;
}

/* Whether it had what is forwarded now: loopback addresses are not; a socket on :: may be one of IPv4 as well. */
static bool loses(const struct listener *listener, const struct policy_forward *forward)
{
	const int family = listener->ipv6 ? AF_INET6 : AF_INET;
	const bool any = is_any(listener);

	if (listener->udp != forward->udp || listener->port < forward->first || listener->port > forward->last)
		return false;
	if (any && listener->ipv6)
		return true;
	if (!(listener->ipv6 ? forward->ipv6 : forward->ipv4))
		return false;
	if (listener->ipv6 ? IN6_IS_ADDR_LOOPBACK((const struct in6_addr *)(const void *)listener->address)
			   : listener->address[0] == 127)
		return false;
	return any || !forward->on_family ||
	       (forward->on_family == family && memcmp(forward->on, listener->address, listener->ipv6 ? 16 : 4) == 0);
}

static void tell_of(
	const struct listener *listener, const struct policy_network *network, listeners_tell *tell, void *context)
{
	for (const struct policy_forward *forward = NULL; (forward = policy_next_forward(network, forward));) {
		struct policy_error error = {.line = forward->line};

		if (!loses(listener, forward))
			continue;
		text_append_escaped(
			error.file, sizeof(error.file), (struct word){forward->file, strlen(forward->file)});
		snprintf(error.what, sizeof(error.what),
			"port %lu/%s is forwarded to guest '%s', and something on the host listens there, which nobody reaches by it any more ('ss -lnptu' shows what); choose another port",
			listener->port, listener->udp ? "udp" : "tcp", forward->guest->name);
		tell(context, FINDING_WARNING, &error);
	}
}

void listeners_find(const struct policy_network *networks, size_t count, listeners_tell *tell, void *context)
{
	static const struct {
		const char *path;
		bool ipv6, udp;
	} lists[] = {{"/proc/net/tcp", false, false}, {"/proc/net/tcp6", true, false}, {"/proc/net/udp", false, true},
		{"/proc/net/udp6", true, true}};
	bool any = false;

	for (size_t i = 0; i < count; i++)
		any |= policy_next_forward(&networks[i], NULL) != NULL;
	for (size_t i = 0; i < sizeof(lists) / sizeof(*lists) && any; i++) {
		FILE *file = fopen(lists[i].path, "re");
		char line[512];

		while (file && fgets(line, sizeof(line), file)) {
			struct listener listener = {.ipv6 = lists[i].ipv6, .udp = lists[i].udp};

			if (!read_listener(line, &listener))
				continue;
			for (size_t j = 0; j < count; j++)
				tell_of(&listener, &networks[j], tell, context);
		}
		if (file)
			fclose(file);
	}
}
