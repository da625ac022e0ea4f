// SPDX-License-Identifier: MIT
/*
 * tapgate-dhcp as the DHCP server of a standalone network: gives the guest of each tap its IPv4 address.
 *
 *	tapgate-dhcp serve NETWORK PID-FILE UID:GID ADDRESS/PREFIX[/PER-VM] LEASE [CODE:BYTES | MAC,ADDRESS,NAME]...
 *
 * A child of the network's keeper (dhcp/keeper.c), in the place of dnsmasq. Taps come and go without it: by which one a
 * message comes in, the kernel says (IP_PKTINFO, ip(7)), its name is that of a subnet, and that subnet's addresses are
 * arithmetic. It answers by the same tap and by no other, and remembers nothing (dhcp/answer.c).
 *
 * dnsmasq would not do: it gives an address to a hardware address, for as long as a lease lasts. A tap whose machine
 * ended would have none for the next one; and each subnet of a pool, of up to 65535, is a word of its command line.
 *
 * What it reads are guests' bytes. It has no privilege left by then, opens, writes and forks nothing, and ends with its
 * keeper.
 */
#include <net/if.h> /* before the kernel's, which give way to it (linux/libc-compat.h) */

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "dhcp/dhcp.h"

enum {
	PORT_SERVER = 67,
	PORT_CLIENT = 68,
	MESSAGE_MAX = 1500, /* what is longer is no client's */
	WORDS = 7,	    /* before the first option */
};

struct server {
	struct policy_network network; /* its name and its IPv4 subnet */
	uint32_t uid, gid, lease;
	unsigned char options[ANSWER_OPTIONS_MAX];
	size_t size;
	struct own {
		unsigned char mac[MAC_BYTES], address[4];
		char name[POLICY_LABEL_MAX + 1];
	} guests[POLICY_GUESTS_MAX];
	size_t guest_count;
	int fd;
};

/* A message, and by which interface and at which of the host's addresses it came. */
struct message {
	unsigned char bytes[MESSAGE_MAX];
	size_t size;
	struct in_pktinfo at;
};

/* --- words -------------------------------------------------------------------------------------------------------- */

static bool read_address(struct word word, unsigned char address[static 4])
{
	char text[INET_ADDRSTRLEN] = "";

	if (word.size < sizeof(text))
		memcpy(text, word.at, word.size);
	return inet_pton(AF_INET, text, address) == 1;
}

/* ADDRESS/PREFIX[/PER-VM] */
static bool read_subnet(struct word rest, struct policy_subnet *subnet)
{
	struct word address, prefix;

	subnet->given = true;
	return word_cut(&rest, '/', &address) && read_address(address, subnet->address) &&
	       word_cut(&rest, '/', &prefix) && word_number(prefix, 31, &subnet->prefix) && subnet->prefix > 0 &&
	       (!rest.at || (word_number(rest, 31, &subnet->per_vm) && subnet->per_vm > subnet->prefix));
}

/* MAC,ADDRESS,NAME, without an address where the tap's own is meant */
static bool read_guest(struct word rest, struct server *server)
{
	struct own *guest = &server->guests[server->guest_count];
	struct word mac, address;

	if (server->guest_count == POLICY_GUESTS_MAX || !word_cut(&rest, ',', &mac) || !mac_read(mac, guest->mac) ||
		!word_cut(&rest, ',', &address) || (address.size && !read_address(address, guest->address)) ||
		!rest.at || rest.size > POLICY_LABEL_MAX)
		return false;
	memcpy(guest->name, rest.at, rest.size);
	server->guest_count++;
	return true;
}

/* CODE:BYTES, two digits each byte */
static bool read_option(struct word rest, struct server *server)
{
	struct word code;
	uint32_t number;

	if (!word_cut(&rest, ':', &code) || !word_number(code, 254, &number) || number == 0 || !rest.at ||
		rest.size % 2 || rest.size / 2 > UINT8_MAX ||
		server->size + 2 + rest.size / 2 > sizeof(server->options))
		return false;
	server->options[server->size++] = (unsigned char)number;
	server->options[server->size++] = (unsigned char)(rest.size / 2);
	for (size_t i = 0; i < rest.size; i += 2) {
		int byte = text_hex(rest.at + i);

		if (byte < 0)
			return false;
		server->options[server->size++] = (unsigned char)byte;
	}
	return true;
}

static bool read_words(int argc, char **argv, struct server *server)
{
	struct word ids, uid, subnet, lease, name;

	if (argc < WORDS)
		return false;
	name = (struct word){argv[2], strlen(argv[2])};
	ids = (struct word){argv[4], strlen(argv[4])};
	subnet = (struct word){argv[5], strlen(argv[5])};
	lease = (struct word){argv[6], strlen(argv[6])};
	if (word_name_problem(name) || !word_cut(&ids, ':', &uid) || !word_number(uid, INT32_MAX, &server->uid) ||
		!word_number(ids, INT32_MAX, &server->gid) || server->uid == 0 ||
		!read_subnet(subnet, &server->network.ipv4) || !word_number(lease, UINT32_MAX, &server->lease))
		return false;
	memcpy(server->network.name, name.at, name.size);
	server->network.mode = MODE_STANDALONE;
	for (int i = WORDS; i < argc; i++) {
		struct word word = {argv[i], strlen(argv[i])};

		if (!(memchr(word.at, ',', word.size) ? read_guest(word, server) : read_option(word, server)))
			return false;
	}
	return true;
}

/* --- becoming ----------------------------------------------------------------------------------------------------- */

/*
 * For all interfaces, as taps come and go, and beside what else serves by this port, each on interfaces of its own:
 * dnsmasq shares it in the same way. Whatever a client sends to everybody, each of them gets; what it sends to the host
 * alone, perhaps another one: it asks everybody then, before its lease ends (RFC 2131, 4.4.5).
 */
static bool open_socket(struct server *server)
{
	const struct sockaddr_in any = {.sin_family = AF_INET, .sin_port = htons(PORT_SERVER)};
	const int on = 1;

	server->fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	return server->fd >= 0 && setsockopt(server->fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == 0 &&
	       setsockopt(server->fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on)) == 0 &&
	       setsockopt(server->fd, SOL_SOCKET, SO_BROADCAST, &on, sizeof(on)) == 0 &&
	       setsockopt(server->fd, IPPROTO_IP, IP_PKTINFO, &on, sizeof(on)) == 0 &&
	       bind(server->fd, (const struct sockaddr *)&any, sizeof(any)) == 0;
}

static bool write_pid(const char *path)
{
	char text[16];
	const int size = snprintf(text, sizeof(text), "%d\n", (int)getpid()),
		  fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);

	return fd >= 0 && write(fd, text, (size_t)size) == size && close(fd) == 0;
}

/*
 * Nothing but the socket is left. The signal comes at once if the keeper has ended by now: it is asked for last, as a
 * change of the user takes it back (PR_SET_PDEATHSIG, prctl(2)).
 */
static bool give_up(const struct server *server, pid_t keeper)
{
	const struct rlimit none = {0, 0};

	return setgroups(0, NULL) == 0 && setresgid(server->gid, server->gid, server->gid) == 0 &&
	       setresuid(server->uid, server->uid, server->uid) == 0 && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
	       setrlimit(RLIMIT_NPROC, &none) == 0 && setrlimit(RLIMIT_FSIZE, &none) == 0 &&
	       setrlimit(RLIMIT_NOFILE, &none) == 0 && prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) == 0 &&
	       getppid() == keeper;
}

/* --- serving ------------------------------------------------------------------------------------------------------ */

static bool receive(const struct server *server, struct message *message)
{
	union {
		char bytes[CMSG_SPACE(sizeof(struct in_pktinfo))];
		struct cmsghdr header;
	} control;
	struct iovec data = {.iov_base = message->bytes, .iov_len = sizeof(message->bytes)};
	struct msghdr header = {.msg_iov = &data,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = sizeof(control.bytes)};
	const ssize_t size = recvmsg(server->fd, &header, 0);
	const struct cmsghdr *item = size > 0 ? CMSG_FIRSTHDR(&header) : NULL;

	if (!item || (header.msg_flags & MSG_TRUNC) || item->cmsg_level != IPPROTO_IP || item->cmsg_type != IP_PKTINFO)
		return false;
	message->size = (size_t)size;
	memcpy(&message->at, CMSG_DATA(item), sizeof(message->at));
	return true;
}

/* The number of the subnet that an interface with this name is the tap of; 0 where there is no pool; -1: of none. */
static int64_t number_of(const struct policy_network *network, const char *name)
{
	const size_t size = strlen(network->name);
	const uint32_t last = policy_pool_size(network);
	uint32_t number = 0;

	if (strncmp(name, network->name, size) != 0)
		return -1;
	if (!last)
		return name[size] ? -1 : 0;
	name += size;
	if (*name != '-' || !word_number((struct word){name + 1, strlen(name + 1)}, last, &number) || number == 0)
		return -1;
	return number;
}

/* The guest that a `guest` line is about; NULL: it is another one. */
static const struct own *find_own(const struct server *server, const unsigned char *mac)
{
	for (size_t i = 0; mac && i < server->guest_count; i++) {
		if (memcmp(server->guests[i].mac, mac, MAC_BYTES) == 0)
			return &server->guests[i];
	}
	return NULL;
}

/* An address of a `guest` line is for its guest alone. */
static bool is_owned(const struct server *server, const unsigned char *address)
{
	for (size_t i = 0; i < server->guest_count; i++) {
		if (memcmp(server->guests[i].address, address, sizeof(server->guests[i].address)) == 0)
			return true;
	}
	return false;
}

/* The first address of a subnet that is neither the host's nor a `guest` line's, as explain says it. */
static bool find_address(const struct server *server, const struct policy_subnet *ipv4, unsigned char guest[static 4])
{
	const bool two = ipv4->prefix == 31; /* addresses, and both are hosts' (RFC 3021) */
	const uint32_t size = (uint32_t)1 << (32 - ipv4->prefix);
	uint32_t host, address;

	memcpy(&host, ipv4->address, sizeof(host));
	host = ntohl(host);
	for (uint32_t number = two ? 0 : 1; number < (two ? size : size - 1); number++) {
		address = htonl((host & ~(size - 1)) + number);
		memcpy(guest, &address, sizeof(address));
		if (ntohl(address) != host && !is_owned(server, guest))
			return true;
	}
	return false;
}

/*
 * What the guest is to have that a message came from. False: it came by no tap of the network's, or at an address that
 * is not the host's there: an interface that only has the name.
 */
static bool find_terms(const struct server *server, const struct message *message, struct answer_terms *terms)
{
	const struct own *own = find_own(server, answer_card(message->bytes, message->size));
	struct ifreq request = {.ifr_ifindex = message->at.ipi_ifindex};
	struct policy_subnet ipv4 = server->network.ipv4, ipv6;
	int64_t number = -1;

	if (ioctl(server->fd, SIOCGIFNAME, &request) == 0)
		number = number_of(&server->network, request.ifr_name);
	if (number > 0)
		policy_pool_subnet(&server->network, (uint32_t)number, &ipv4, &ipv6);
	if (number < 0 || memcmp(&message->at.ipi_spec_dst, ipv4.address, sizeof(terms->host)) != 0)
		return false;
	*terms = (struct answer_terms){.prefix = ipv4.prefix,
		.lease = server->lease,
		.name = own ? own->name : NULL,
		.options = server->options,
		.size = server->size};
	memcpy(terms->host, ipv4.address, sizeof(terms->host));
	if (!own || !own->address[0])
		return find_address(server, &ipv4, terms->guest);
	memcpy(terms->guest, own->address, sizeof(terms->guest));
	return true;
}

/* By the tap that the question came by. What cannot be sent, as the tap has gone, is asked for again. */
static void reply(const struct server *server, int interface, const struct answer_terms *terms,
	const unsigned char answer[static ANSWER_MAX], size_t size)
{
	union {
		char bytes[CMSG_SPACE(sizeof(struct in_pktinfo))];
		struct cmsghdr header;
	} control = {.bytes = {0}};
	struct in_pktinfo from = {.ipi_ifindex = interface};
	struct sockaddr_in to = {
		.sin_family = AF_INET, .sin_port = htons(PORT_CLIENT), .sin_addr.s_addr = INADDR_BROADCAST};
	struct iovec data = {.iov_base = (void *)(uintptr_t)answer, .iov_len = size};
	const struct msghdr header = {.msg_name = &to,
		.msg_namelen = sizeof(to),
		.msg_iov = &data,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = sizeof(control.bytes)};

	if (answer_is_for_address(answer, terms))
		memcpy(&to.sin_addr, terms->guest, sizeof(to.sin_addr));
	memcpy(&from.ipi_spec_dst, terms->host, sizeof(from.ipi_spec_dst));
	control.header =
		(struct cmsghdr){.cmsg_level = IPPROTO_IP, .cmsg_type = IP_PKTINFO, .cmsg_len = CMSG_LEN(sizeof(from))};
	memcpy(CMSG_DATA(&control.header), &from, sizeof(from));
	(void)!sendmsg(server->fd, &header, MSG_DONTWAIT);
}

static _Noreturn void serve(const struct server *server)
{
	static struct message message;

	for (;;) {
		unsigned char answer[ANSWER_MAX];
		struct answer_terms terms;
		size_t size;

		if (!receive(server, &message) || !find_terms(server, &message, &terms))
			continue;
		size = answer_make(message.bytes, message.size, &terms, answer);
		if (size)
			reply(server, message.at.ipi_ifindex, &terms, answer, size);
	}
}

int serve_main(int argc, char **argv)
{
	static struct server server;
	const pid_t keeper = getppid();

	if (!read_words(argc, argv, &server)) {
		dprintf(2, "words that are not 'tapgate up's\n");
		return 2;
	}
	if (!open_socket(&server) || !write_pid(argv[3]) || !give_up(&server, keeper)) {
		dprintf(2, "%s\n", strerror(errno));
		return 1;
	}
	close(2); /* which tells the keeper that it serves */
	serve(&server);
}
