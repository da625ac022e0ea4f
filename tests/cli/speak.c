/*
 * speak: send what a well-meaning guest would not.
 *
 *	speak datagram SOURCE DESTINATION		UDP to port 9, from an address that need not be the sender's
 *	speak redirect CARD HOST DESTINATION TARGET	an ICMPv6 redirect (RFC 4861, 4.5) to HOST, a link-local address
 *							on CARD: packets for DESTINATION should go to TARGET from now
 *							on; from the card's own link-local address
 */
#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/icmp6.h>
#include <stdbool.h>
#include <stdio.h>
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

int main(int argc, char **argv)
{
	bool sent;

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
