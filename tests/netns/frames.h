// SPDX-License-Identifier: MIT
/* Ethernet frames, for tests of what passes a port: written to taps' descriptors, seen on packet sockets and taps. */
#ifndef TESTS_NETNS_FRAMES_H
#define TESTS_NETNS_FRAMES_H

#include "tests/netns/harness.h"

enum { FRAME_MIN = 60 };

/* br0, of a known address. */
#define BR0_MAC "02:00:5e:00:00:01"
void make_br0(void);

/*
 * Wait until the port of a tap forwards; and until a port's bridge sends what it is given. The kernel sees to that some
 * time after the first port is up, at most once a second for all interfaces there are (net/core/link_watch.c).
 */
void await_forwarding(const struct result *result);
void await_bridge(const char *port);

/* A hardware address of text. */
const unsigned char *mac_of(const char *text);

/* A frame of the experimental type 0x88b5 with a number in it. */
void make_frame(unsigned char frame[FRAME_MIN], const char *to, const char *from, unsigned int number);
void send_frame(const struct result *result, const char *to, const char *from, unsigned int number);

/* All that an interface has, in and out; not blocking. */
int packet_socket(const char *interface);

/*
 * Whether the next frame of that type that comes out of a packet socket or a tap has the number. To see that a frame
 * does not pass, send one behind it that does.
 */
bool frame_comes(int fd, unsigned int number);

/* How many entries br0 has, and whether one for an address, in `bridge fdb`'s words, is among them. */
unsigned int count_entries(void);
bool has_entry(const char *words);

#endif
