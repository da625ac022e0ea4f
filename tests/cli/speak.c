// SPDX-License-Identifier: MIT
/*
 * speak: send what a well-meaning guest would not; and UDP that is answered.
 *
 *	speak datagram SOURCE DESTINATION		UDP to port 9, from an address that need not be the sender's
 *	speak redirect CARD HOST DESTINATION TARGET	an ICMPv6 redirect (RFC 4861, 4.5) to HOST, a link-local address
 *							on CARD: packets for DESTINATION should go to TARGET from now
 *							on; from the card's own link-local address
 *	speak answer NAME PORT...			answer every datagram that comes to one of the ports, with
 *							NAME, until it is killed
 *	speak ask ADDRESS PORT				send datagrams, and print the answer: "refused" if they are not
 *							let there, "waited" if none comes within 8 seconds
 */
#include <arpa/inet.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/icmp6.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

static const int on = 1;

static bool datagram_ipv4(const char *source, const char *destination)
{
	struct sockaddr_in from = {.sin_family = AF_INET}, to = {.sin_family = AF_INET, .sin_port = htons(9)};
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	return inet_pton(AF_INET, source, &from.sin_addr) == 1 && inet_pton(AF_INET, destination, &to.sin_addr) == 1 &&
	       setsockopt(fd, IPPROTO_IP, IP_TRANSPARENT, &on, sizeof(on)) == 0 &&
	       bind(fd, (struct sockaddr *)&from, sizeof(from)) == 0 &&
	       sendto(fd, "x", 1, 0, (struct sockaddr *)&to, sizeof(to)) == 1;
}

static bool datagram_ipv6(const char *source, const char *destination)
{
	struct sockaddr_in6 from = {.sin6_family = AF_INET6}, to = {.sin6_family = AF_INET6, .sin6_port = htons(9)};
	int fd = socket(AF_INET6, SOCK_DGRAM, 0);

	return inet_pton(AF_INET6, source, &from.sin6_addr) == 1 &&
	       inet_pton(AF_INET6, destination, &to.sin6_addr) == 1 &&
	       setsockopt(fd, IPPROTO_IPV6, IPV6_TRANSPARENT, &on, sizeof(on)) == 0 &&
	       bind(fd, (struct sockaddr *)&from, sizeof(from)) == 0 &&
	       sendto(fd, "x", 1, 0, (struct sockaddr *)&to, sizeof(to)) == 1;
}

static bool redirect(const char *card, const char *host, const char *destination, const char *target)
{
	struct nd_redirect redirect = {.nd_rd_type = ND_REDIRECT};
	struct sockaddr_in6 to = {.sin6_family = AF_INET6, .sin6_scope_id = if_nametoindex(card)};
	int hops = 255, fd = socket(AF_INET6, SOCK_RAW, IPPROTO_ICMPV6);

	return inet_pton(AF_INET6, host, &to.sin6_addr) == 1 &&
	       inet_pton(AF_INET6, destination, &redirect.nd_rd_dst) == 1 &&
	       inet_pton(AF_INET6, target, &redirect.nd_rd_target) == 1 &&
	       setsockopt(fd, IPPROTO_IPV6, IPV6_UNICAST_HOPS, &hops, sizeof(hops)) == 0 &&
	       sendto(fd, &redirect, sizeof(redirect), 0, (struct sockaddr *)&to, sizeof(to)) > 0;
}

/* --- UDP ---------------------------------------------------------------------------------------------------------- */

enum { PORTS_MAX = 8, PATIENCE_MS = 8000, AGAIN_MS = 1000 };

static int answer(const char *name, char **words, int count)
{
	struct pollfd ports[PORTS_MAX];

	for (int i = 0; i < count && i < PORTS_MAX; i++) {
		struct sockaddr_in6 any = {.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)atoi(words[i]))};

		ports[i] = (struct pollfd){.fd = socket(AF_INET6, SOCK_DGRAM, 0), .events = POLLIN};
		if (bind(ports[i].fd, (struct sockaddr *)&any, sizeof(any)) < 0)
			return perror(words[i]), 1;
	}
	while (poll(ports, (nfds_t)count, -1) > 0) {
		for (int i = 0; i < count; i++) {
			struct sockaddr_in6 from;
			socklen_t size = sizeof(from);
			char byte;

			if (ports[i].revents &&
				recvfrom(ports[i].fd, &byte, 1, 0, (struct sockaddr *)&from, &size) >= 0)
				sendto(ports[i].fd, name, strlen(name), 0, (struct sockaddr *)&from, size);
		}
	}
	return 1;
}

static int ask(const char *address, const char *port)
{
	const struct addrinfo hints = {.ai_socktype = SOCK_DGRAM, .ai_flags = AI_NUMERICHOST};
	struct addrinfo *to;
	struct pollfd ready = {.events = POLLIN};
	char name[64] = "";

	if (getaddrinfo(address, port, &hints, &to) != 0)
		return fprintf(stderr, "speak: %s is no address\n", address), 2;
	ready.fd = socket(to->ai_family, SOCK_DGRAM, 0);
	/* Else what ends nowhere is not told (icmp(7)). */
	setsockopt(ready.fd, IPPROTO_IP, IP_RECVERR, &on, sizeof(on));
	setsockopt(ready.fd, IPPROTO_IPV6, IPV6_RECVERR, &on, sizeof(on));
	if (connect(ready.fd, to->ai_addr, to->ai_addrlen) < 0)
		return puts("refused"), 0;
	/* More than once: the host does not tell each time (icmp_ratelimit, ip-sysctl.rst). */
	for (int waited = 0; waited < PATIENCE_MS; waited += AGAIN_MS) {
		if (send(ready.fd, "x", 1, 0) != 1)
			return puts("refused"), 0;
		if (poll(&ready, 1, AGAIN_MS) > 0)
			break;
	}
	if (poll(&ready, 1, 0) <= 0)
		return puts("waited"), 0;
	return puts(recv(ready.fd, name, sizeof(name) - 1, 0) > 0 ? name : "refused"), 0;
}

int main(int argc, char **argv)
{
	bool sent;

	if (argc > 3 && strcmp(argv[1], "answer") == 0)
		return answer(argv[2], argv + 3, argc - 3);
	if (argc == 4 && strcmp(argv[1], "ask") == 0)
		return ask(argv[2], argv[3]);

	if (argc == 4 && strcmp(argv[1], "datagram") == 0)
		sent = (strchr(argv[2], ':') ? datagram_ipv6 : datagram_ipv4)(argv[2], argv[3]);
	else if (argc == 6 && strcmp(argv[1], "redirect") == 0)
		sent = redirect(argv[2], argv[3], argv[4], argv[5]);
	else
		return fprintf(stderr, "speak: no such words; see tests/cli/speak.c\n"), 2;
	if (!sent)
		perror("speak");
	return !sent;
}
