// SPDX-License-Identifier: MIT
/*
 * What the attacks share: a host with networks of every mode, as `tapgate up` makes them; a guest, which is all that
 * can be done with a tap's descriptor; frames; and what the host must not have taken.
 *
 *	lan (192.0.2.1, 2001:db8:1::1)		a network of the host's own
 *	lab    host-only  172.16.5.1/24 fd00:5::1/64
 *	quiet  internal
 *	web    nat        10.77.0.1/24 fd00:77::1/64
 *	tap1   standalone 172.16.2.1/24 fd00:2::1/64
 *	cell   standalone, a pool of /30 and /126 from 172.16.128.0/17 and fd00:c::/112
 *	br0    bridged, the administrator's; br1 the same, with isolated and lock-mac
 *
 * The host is as unfavourable as hosts are: it forwards, believes routers, and takes packets from anywhere.
 *
 * What a guest writes to its tap the kernel has dealt with when the call returns (tun_get_user, drivers/net/tun.c), to
 * the sockets that get it and the answers: nobody waits here. That this is so is shown by each attack's control, which
 * looks in the same way, and succeeds.
 *
 * With BY_GUEST=1 the guest is a virtual machine that has booted (tests/attacks/machine.h), and the same holds.
 */
#ifndef TESTS_ATTACKS_ATTACK_H
#define TESTS_ATTACKS_ATTACK_H

#include "tests/netns/harness.h"

/* --- the host ----------------------------------------------------------------------------------------------------- */

/* Set up before each test, and taken down after it: ATTACK(function). */
int open_host(void **state);
int close_host(void **state);
#define ATTACK(function) cmocka_unit_test_setup_teardown(function, open_host, close_host)

/* A setting of the network's, as sysctl(8) names it: "net.ipv4.ip_forward". */
void set(const char *name, int value);

/* The host's own hardware address on an interface; that it knows a guest's, and need not ask. */
const char *mac_on(const char *interface);
void knows(const char *interface, const char *address);

/*
 * What is behind a port of a bridge of the host's, as a descriptor: each frame that comes out there is read, and each
 * that is written comes in. One is there for the LAN, behind the port "plug". And whether a frame with these bytes at
 * an offset, or this word anywhere, came there since it was last asked.
 */
int cable(const char *name, const char *bridge);
int lan(void);
void settle(void); /* until frames that were sent have gone where they go */
bool comes(int fd, size_t offset, const void *bytes, size_t size);
bool word_comes(int fd, const char *word);

/* Take a network's guard away, or a tap's own protection: the control. */
void without_guard(const char *network);
void without_wall(const char *tap);

/* A UDP socket that any packet to a port reaches, and whether one did since it was last asked. */
int udp_socket(int family, unsigned int port);
bool arrived(int fd);

/* What an interface of the host's takes in of one type: what is left of it behind its bridge, if it is a port. */
int type_socket(const char *interface, unsigned int type);

/* Whether the host took a router's word: a default route or an address of the prefix that ra() has. */
bool believes_router(void);

/* The networks where the host has an address, one of each mode; an address of a guest there, and who reaches whom. */
enum { PLACES = 5 };
extern const struct place {
	const char *network, *host, *guest, *ipv6_host, *ipv6_guest;
	bool goes_out;	 /* guests reach the LAN */
	bool host_comes; /* the host reaches guests */
	bool lan_comes;	 /* so does the LAN */
} places[PLACES];

/* An address as text, of an interface if it is a link's own; returns the size. */
struct sockaddr_storage;
unsigned int address_of(const char *text, const char *interface, struct sockaddr_storage *address);

/* Whether a user of the host's can send to an address by an interface of that user's choice. */
bool user_sends(const char *interface, const char *source, const char *destination);

/* --- frames ------------------------------------------------------------------------------------------------------- */

struct frame {
	unsigned char bytes[4096];
	size_t size;
};

#define GUEST_MAC "52:54:00:12:34:56" /* the attacker's; and of a guest that is attacked */
#define PEER_MAC  "52:54:00:99:99:99"
#define ALL	  "ff:ff:ff:ff:ff:ff"

/* The text of the address 01:80:c2:00:00:0X. */
const char *reserved(unsigned int last);

struct frame ethernet(const char *to, unsigned int type);
void put(struct frame *frame, const void *bytes, size_t size);
void put_number(struct frame *frame, size_t size, unsigned long number); /* in network byte order */
void put_address(struct frame *frame, const char *address);

/* The Internet checksum of what is behind `from`, from `sum` on, written at `at`. */
uint32_t sum_of(const void *bytes, size_t size, uint32_t sum);
void put_sum(struct frame *frame, size_t at, size_t from, uint32_t sum);

/* IPv4 or IPv6, as the source is; `put` the payload, and end it. */
struct frame packet(const char *to, const char *source, const char *destination, unsigned int protocol);
void end_packet(struct frame *frame);

struct frame udp(const char *to, const char *source, const char *destination, unsigned int port);
struct frame arp(const char *to, const char *source, const char *asked);
struct frame of_type(const char *to, unsigned int type); /* of the least length */
struct frame ra(const char *to); /* the guest is a router, and has the prefix 2001:db8:bad::/64 */
struct frame bpdu(const char *to);

/* A frame of IPv6 with an extension header of a kind between its own and the rest; all of it but the first byte. */
struct frame behind(const struct frame *frame, unsigned int header, const void *bytes, size_t size);

/* The frame with a tag in front of its type. */
struct frame tagged(const struct frame *frame, unsigned int protocol, unsigned int tag);

/* --- the guest ---------------------------------------------------------------------------------------------------- */

/* Alice's, with a tap on a network; `vnet` puts a header of its own making in front of each frame (virtio). */
struct result guest_on(const char *network);
struct result guest_with_offloads_on(const char *network);

/* Its end, and that of its tap. */
void guest_ends(struct result *guest);

/* Skip the test with BY_GUEST=1: QEMU would not write to a tap what it is about. guest_with_offloads_on calls it. */
void by_tap_alone(void);

/* One of alice's on a place: there is the host's interface towards it, with its hardware address. And a host anew. */
struct site {
	const struct place *place;
	struct result guest;
	char interface[16], mac[18];
};
struct site come_to(const struct place *place);
void leave(struct site *site);

/* The control: without guard, and on a standalone network without the tap's own protection. */
void unguard(const struct site *site);

void sends(const struct result *guest, const struct frame *frame);

/* One of many, in a row that ends with has_sent: then the kernel has dealt with all of them. */
void sends_on(const struct result *guest, const struct frame *frame);
void has_sent(const struct result *guest);

/* Everything that came to the guest since it last looked is gone. */
void forgets(const struct result *guest);

/* Whether a frame with these bytes at an offset came to the guest since it last looked. */
bool hears(const struct result *guest, size_t offset, const void *bytes, size_t size);

/* The same: an answer of ARP's from an address; anything that has this word in it. */
bool hears_arp(const struct result *guest, const char *address);
bool hears_word(const struct result *guest, const char *word);

#endif
