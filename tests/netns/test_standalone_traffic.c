// SPDX-License-Identifier: MIT
/*
 * A standalone network with a guest on it: host and guest find each other (ARP, neighbour discovery) and connect, by
 * IPv4 and IPv6, though the tap has no link-local address.
 *
 *	test --- tap1 (172.16.2.1, fd00:2::1) ~ frames carried ~ eth0 (172.16.2.2, fd00:2::2) --- guest, a namespace
 */
#include "tests/netns/harness.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PORT = 7777 };

static socklen_t address_of(const char *text, struct sockaddr_storage *address)
{
	struct sockaddr_in *ipv4 = (struct sockaddr_in *)(void *)address;
	struct sockaddr_in6 *ipv6 = (struct sockaddr_in6 *)(void *)address;

	memset(address, 0, sizeof(*address));
	if (inet_pton(AF_INET, text, &ipv4->sin_addr) == 1) {
		ipv4->sin_family = AF_INET;
		ipv4->sin_port = htons(PORT);
		return sizeof(*ipv4);
	}
	assert_int_equal(inet_pton(AF_INET6, text, &ipv6->sin6_addr), 1);
	ipv6->sin6_family = AF_INET6;
	ipv6->sin6_port = htons(PORT);
	return sizeof(*ipv6);
}

/* Whether the port is answered: connect, within some seconds. */
static bool reaches(const char *text)
{
	struct sockaddr_storage address;
	socklen_t size = address_of(text, &address);
	int sock = socket(address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), error = 0;
	struct pollfd done = {.fd = sock, .events = POLLOUT};
	socklen_t error_size = sizeof(error);
	bool connected;

	(void)connect(sock, (struct sockaddr *)&address, size);
	connected = poll(&done, 1, SOON) == 1 && getsockopt(sock, SOL_SOCKET, SO_ERROR, &error, &error_size) == 0 &&
		    error == 0 && (done.revents & POLLOUT);
	close(sock);
	return connected;
}

/* The kernel answers those who connect; nobody needs to accept. */
static int listen_to_all(void)
{
	const struct sockaddr_in6 any = {.sin6_family = AF_INET6, .sin6_port = htons(PORT)};
	int sock = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(sock >= 0 && bind(sock, (const struct sockaddr *)&any, sizeof(any)) == 0 && listen(sock, 64) == 0);
	return sock;
}

static int64_t carry(int from, int to)
{
	unsigned char buffer[4096];
	ssize_t size = read(from, buffer, sizeof(buffer));

	return size > 0 ? write(to, buffer, (size_t)size) : size;
}

/* The guest: a network namespace whose card is the other end of the tap. Says '.' when it stands, and ends with us. */
static pid_t start_guest(int tap, int *ready, const char *setup)
{
	int ends[2];
	pid_t child;

	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	child = fork();
	if (child == 0) {
		struct ifreq request = {.ifr_name = "eth0", .ifr_flags = IFF_TAP | IFF_NO_PI};
		struct pollfd both[] = {{.fd = tap, .events = POLLIN}, {.fd = -1, .events = POLLIN}};

		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (unshare(CLONE_NEWNET) < 0)
			_exit(1);
		both[1].fd = open("/dev/net/tun", O_RDWR);
		if (ioctl(both[1].fd, TUNSETIFF, &request) < 0 || system(setup) != 0)
			_exit(2);
		listen_to_all();
		if (write(ends[1], ".", 1) != 1)
			_exit(3);
		while (poll(both, 2, -1) > 0) {
			for (int i = 0; i < 2; i++) {
				if (both[i].revents && carry(both[i].fd, both[1 - i].fd) < 0)
					_exit(4);
			}
		}
		_exit(5);
	}
	note_child(child);
	close(ends[1]);
	*ready = ends[0];
	return child;
}

static void await(int ready)
{
	struct pollfd said = {.fd = ready, .events = POLLIN};
	char byte = 0;

	assert_true(poll(&said, 1, 10000) == 1 && read(ready, &byte, 1) == 1 && byte == '.');
}

#define GUEST_OWN                                                                                                      \
	"ip link set lo up && ip link set eth0 up && ip addr add 172.16.2.2/24 dev eth0 && "                           \
	"ip addr add fd00:2::2/64 dev eth0 nodad"

/* Whether the guest reaches an address. */
static bool guest_reaches(pid_t guest, const char *address)
{
	char path[64];
	int status, network;
	pid_t child = fork();

	if (child == 0) {
		snprintf(path, sizeof(path), "/proc/%d/ns/net", (int)guest);
		network = open(path, O_RDONLY | O_CLOEXEC);
		_exit(network >= 0 && setns(network, CLONE_NEWNET) == 0 && reaches(address) ? 0 : 1);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	return status == 0;
}

static struct result hold_tap1(void)
{
	make_network("tap1", "standalone");
	write_policy("allow tap1\nnetwork tap1 standalone 172.16.2.1/24 fd00:2::1/64\n");
	return hold(&(struct call){.about = "tap1", .argv = ARGS("--br=tap1", FD)}, NULL);
}

static void test_host_reaches_guest(void **state)
{
	struct result result = hold_tap1();
	int ready;

	(void)state;
	start_guest(result.tap, &ready, GUEST_OWN);
	await(ready);
	EXPECT(&result, reaches("172.16.2.2"));
	EXPECT(&result, reaches("fd00:2::2"));
	/* Neighbour discovery is from the address that there is: none is made for it. */
	assert_string_equal(addresses_on("tap1"), "172.16.2.1/24 fd00:2::1/64");
}

static void test_guest_reaches_host(void **state)
{
	struct result result = hold_tap1();
	int ready, sock = listen_to_all();
	pid_t guest = start_guest(result.tap, &ready, GUEST_OWN);

	(void)state;
	await(ready);
	EXPECT(&result, guest_reaches(guest, "172.16.2.1"));
	EXPECT(&result, guest_reaches(guest, "fd00:2::1"));
	EXPECT(&result, !guest_reaches(guest, "172.16.2.3")); /* such an attempt can fail */
	close(sock);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_host_reaches_guest),
		TEST(test_guest_reaches_host),
	};

	return have_program("nft") ? RUN_TESTS(tests) : 0;
}
