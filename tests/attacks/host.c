// SPDX-License-Identifier: MIT
/* The host that is attacked, and the guest that attacks. */
#include "tests/attacks/attack.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <linux/if_tun.h>
#include <linux/virtio_net.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/attacks/machine.h"
#include "tests/netns/frames.h"

enum { SOCKETS_MAX = 16 };

static int sockets[SOCKETS_MAX];
static size_t socket_count;

/* --- the host ----------------------------------------------------------------------------------------------------- */

static int keep(int fd)
{
	assert_true(fd >= 0 && socket_count < SOCKETS_MAX);
	return sockets[socket_count++] = fd;
}

int cable(const char *name, const char *bridge)
{
	struct ifreq request = {.ifr_flags = IFF_TAP | IFF_NO_PI};
	int fd = keep(open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC));

	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", name);
	assert_int_equal(ioctl(fd, TUNSETIFF, &request), 0);
	command("ip link set %s master %s addrgenmode none up", name, bridge);
	for (int tries = 0; tries < SOON && strcmp(first_line("/sys/class/net/%s/brport/state", name), "3") != 0;
		tries++)
		usleep(1000);
	await_bridge(name);
	return fd;
}

int lan(void)
{
	return sockets[0];
}

static const char policy[] = "network lab   host-only  172.16.5.1/24 fd00:5::1/64\n"
			     "network quiet internal\n"
			     "network web   nat        10.77.0.1/24 fd00:77::1/64\n"
			     "network pub   shared     10.78.0.1/24 fd00:78::1/64\n"
			     "network way   routed     10.80.0.1/24 fd00:80::1/64\n"
			     "network tap1  standalone 172.16.2.1/24 fd00:2::1/64\n"
			     "network cell  standalone 172.16.128.0/17 fd00:c::/112 per-vm=/30,/126\n"
			     "network br1   bridged    isolated lock-mac\n"
			     "allow all\n";

const struct place places[PLACES] = {
	{"lab", "172.16.5.1", "172.16.5.11", "fd00:5::1", "fd00:5::11", .host_comes = true},
	{"web", "10.77.0.1", "10.77.0.11", "fd00:77::1", "fd00:77::11", .goes_out = true},
	{"tap1", "172.16.2.1", "172.16.2.2", "fd00:2::1", "fd00:2::2", .host_comes = true},
	{"pub", "10.78.0.1", "10.78.0.11", "fd00:78::1", "fd00:78::11", .goes_out = true, .host_comes = true},
	{"way", "10.80.0.1", "10.80.0.11", "fd00:80::1", "fd00:80::11", .goes_out = true, .host_comes = true,
		.lan_comes = true},
};

void set(const char *name, int value)
{
	command("sysctl -qw %s=%d", name, value);
}

int open_host(void **state)
{
	static const struct {
		const char *name;
		int value;
	} settings[] = {
		{"net.ipv4.ip_forward", 1},
		{"net.ipv6.conf.all.forwarding", 1},
		{"net.ipv6.conf.default.accept_ra", 2},
		{"net.ipv4.conf.all.rp_filter", 0},
		{"net.ipv4.conf.default.rp_filter", 0},
		{"net.ipv4.conf.all.accept_local", 1},
		{"net.ipv4.conf.default.accept_redirects", 1},
		{"net.ipv4.conf.default.accept_source_route", 1},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(settings); i++)
		set(settings[i].name, settings[i].value);
	make_bridge("lan");
	cable("plug", "lan");
	make_bridge("br0");
	make_bridge("br1");
	command("ip link set lo up && ip addr add 192.0.2.1/24 dev lan && ip addr add 2001:db8:1::1/64 dev lan nodad");
	write_policy(policy);
	command("\"$TAPGATE\" up >/dev/null");
	/* As whoever manages interfaces may set it behind `up`, which switches it off: what holds then is the guard. */
	command("for bridge in lab web pub way quiet; do sysctl -qw net.ipv6.conf.$bridge.accept_ra=2; done");
	return 0;
}

int close_host(void **state)
{
	unplug_all();
	while (socket_count)
		close(sockets[--socket_count]);
	command("nft flush ruleset");
	return clean_world(state);
}

const char *mac_on(const char *interface)
{
	return first_line("/sys/class/net/%s/address", interface);
}

void knows(const char *interface, const char *address)
{
	command("ip neigh replace %s lladdr %s dev %s nud permanent", address, PEER_MAC, interface);
}

void without_guard(const char *network)
{
	command("for family in inet bridge netdev arp; do nft delete table $family tapgate-%s 2>/dev/null; done; "
		"! nft list tables | grep -q 'tapgate-%s$'",
		network, network);
}

void without_wall(const char *tap)
{
	command("tc qdisc del dev %s clsact 2>/dev/null || tc qdisc del dev %s ingress", tap, tap);
}

int udp_socket(int family, unsigned int port)
{
	const struct sockaddr_in ipv4 = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
	const struct sockaddr_in6 ipv6 = {.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port)};
	int fd = keep(socket(family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)), on = 1;

	setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
	assert_int_equal(bind(fd, family == AF_INET ? (const void *)&ipv4 : (const void *)&ipv6,
				 family == AF_INET ? sizeof(ipv4) : sizeof(ipv6)),
		0);
	return fd;
}

bool arrived(int fd)
{
	char bytes[4096];
	bool any = false;

	while (recv(fd, bytes, sizeof(bytes), 0) >= 0)
		any = true;
	return any;
}

int type_socket(const char *interface, unsigned int type)
{
	const struct sockaddr_ll address = {.sll_family = AF_PACKET,
		.sll_protocol = htons((uint16_t)type),
		.sll_ifindex = (int)if_nametoindex(interface)};
	int fd = keep(socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));

	assert_int_equal(bind(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

bool believes_router(void)
{
	return shell_status("{ ip -6 route show table all; ip -6 addr; } | grep -q 'proto ra\\|2001:db8:bad:'") == 0;
}

struct datagram {
	const char *interface, *source, *destination;
};

socklen_t address_of(const char *text, const char *interface, struct sockaddr_storage *address)
{
	struct sockaddr_in *ipv4 = (struct sockaddr_in *)(void *)address;
	struct sockaddr_in6 *ipv6 = (struct sockaddr_in6 *)(void *)address;

	*address = (struct sockaddr_storage){.ss_family = strchr(text, ':') ? AF_INET6 : AF_INET};
	if (inet_pton(AF_INET, text, &ipv4->sin_addr) == 1)
		return sizeof(*ipv4);
	assert_int_equal(inet_pton(AF_INET6, text, &ipv6->sin6_addr), 1);
	ipv6->sin6_scope_id = interface ? if_nametoindex(interface) : 0;
	return sizeof(*ipv6);
}

static int send_datagram(void *context)
{
	const struct datagram *datagram = context;
	struct sockaddr_storage source, destination;
	socklen_t size = address_of(datagram->source, NULL, &source);
	int fd = socket(source.ss_family, SOCK_DGRAM, 0), on = 1;

	address_of(datagram->destination, datagram->interface, &destination);
	((struct sockaddr_in *)(void *)&destination)->sin_port = htons(9); /* where an IPv6 address has it, too */
	return fd < 0 ||
	       setsockopt(
		       fd, SOL_SOCKET, SO_BINDTODEVICE, datagram->interface, (socklen_t)strlen(datagram->interface)) ||
	       setsockopt(fd, SOL_SOCKET, SO_BROADCAST, &on, sizeof(on)) ||
	       bind(fd, (struct sockaddr *)&source, size) ||
	       sendto(fd, "attacked", 8, 0, (struct sockaddr *)&destination, size) != 8;
}

bool user_sends(const char *interface, const char *source, const char *destination)
{
	struct datagram datagram = {interface, source, destination};

	return as_user(&bob, send_datagram, &datagram) == 0;
}

/* --- the guest ---------------------------------------------------------------------------------------------------- */

void by_tap_alone(void)
{
	if (by_guest())
		skip();
}

static struct result guest(const char *network, bool vnet)
{
	static char words[32];
	static const char *argv[] = {"tapgate-helper", words, FD, NULL, NULL};
	struct result result;

	snprintf(words, sizeof(words), "--br=%s", network);
	argv[3] = vnet ? "--use-vnet" : NULL;
	result = run(&(struct call){.about = network, .argv = argv});
	EXPECT(&result, result.code == 0 && result.fds == 1);
	fcntl(result.tap, F_SETFL, O_NONBLOCK);
	if (first_line("/sys/class/net/%s/brport/state", tap_of(&result))[0])
		await_forwarding(&result);
	if (by_guest())
		plug(result.tap);
	return result;
}

struct result guest_on(const char *network)
{
	return guest(network, false);
}

struct result guest_with_offloads_on(const char *network)
{
	by_tap_alone();
	return guest(network, true);
}

void guest_ends(struct result *guest)
{
	unplug(guest->tap);
	give_back(guest);
}

struct site come_to(const struct place *place)
{
	struct site site = {.place = place, .guest = guest_on(place->network)};

	snprintf(site.interface, sizeof(site.interface), "%s",
		strcmp(place->network, "tap1") == 0 ? tap_of(&site.guest) : place->network);
	snprintf(site.mac, sizeof(site.mac), "%s", mac_on(site.interface));
	return site;
}

void leave(struct site *site)
{
	guest_ends(&site->guest);
	close_host(NULL);
	open_host(NULL);
}

void unguard(const struct site *site)
{
	without_guard(site->place->network);
	if (strcmp(site->place->network, "tap1") == 0)
		without_wall(tap_of(&site->guest));
}

void sends_on(const struct result *guest, const struct frame *frame)
{
	const ssize_t size = is_plugged(guest->tap) ? give_to_machine(guest->tap, frame->bytes, frame->size)
						    : write(guest->tap, frame->bytes, frame->size);

	EXPECT(guest, is_plugged(guest->tap) == by_guest());
	EXPECT(guest, size == (ssize_t)frame->size);
}

void has_sent(const struct result *guest)
{
	if (is_plugged(guest->tap))
		wait_for_machine(guest->tap);
}

void sends(const struct result *guest, const struct frame *frame)
{
	sends_on(guest, frame);
	has_sent(guest);
}

/*
 * Until the kernel has taken all frames on their way through. It does so at once, unless a processor has much of that
 * to do: then they wait in its backlog (the twelfth column of softnet_stat), and may be at work when they are in none.
 */
void settle(void)
{
	unsigned int left = 1;

	for (int tries = 0; tries < 1000 && left; tries++) {
		FILE *file = fopen("/proc/net/softnet_stat", "re");
		unsigned int backlog;

		usleep(100);
		left = 0;
		while (file && fscanf(file, "%*x %*x %*x %*x %*x %*x %*x %*x %*x %*x %*x %x%*[^\n]", &backlog) == 1)
			left += backlog;
		if (file)
			fclose(file);
	}
}

/* Everything that came by now is there to be read: from a cable, a guest's tap, or the machine that has it. */
static void wait_for_frames(int fd)
{
	settle();
	if (is_plugged(fd))
		drain(fd);
}

static ssize_t next_frame(int fd, void *bytes, size_t size)
{
	return is_plugged(fd) ? machine_reads(fd, bytes, size) : read(fd, bytes, size);
}

bool comes(int fd, size_t offset, const void *bytes, size_t size)
{
	unsigned char frame[4096];
	bool any = false;
	ssize_t got;

	wait_for_frames(fd);
	while ((got = next_frame(fd, frame, sizeof(frame))) >= 0)
		any |= (size_t)got >= offset + size && memcmp(frame + offset, bytes, size) == 0;
	return any;
}

bool word_comes(int fd, const char *word)
{
	unsigned char frame[4096];
	bool any = false;
	ssize_t got;

	wait_for_frames(fd);
	while ((got = next_frame(fd, frame, sizeof(frame))) >= 0)
		any |= memmem(frame, (size_t)got, word, strlen(word)) != NULL;
	return any;
}

bool hears(const struct result *guest, size_t offset, const void *bytes, size_t size)
{
	return comes(guest->tap, offset, bytes, size);
}

bool hears_word(const struct result *guest, const char *word)
{
	return word_comes(guest->tap, word);
}

void forgets(const struct result *guest)
{
	comes(guest->tap, 0, "", 0);
}

bool hears_arp(const struct result *guest, const char *address)
{
	unsigned char answer[24] = {8, 6, 0, 1, 8, 0, 6, 4, 0, 2};
	unsigned char frame[4096];
	bool heard = false;
	ssize_t got;

	assert_int_equal(inet_pton(AF_INET, address, answer + 16), 1);
	wait_for_frames(guest->tap);
	while ((got = next_frame(guest->tap, frame, sizeof(frame))) >= 0)
		heard |= got >= 42 && memcmp(frame + 12, answer, 10) == 0 && memcmp(frame + 28, answer + 16, 4) == 0;
	return heard;
}
