/*
 * Hardware addresses of guests: their text, and the block of them that is a caller's own on a network.
 *
 * A caller may choose any address of its block and none outside of it, so that nobody can claim a neighbour's or the
 * gateway's. The block follows from the user and the network alone: nobody keeps a list.
 */
#ifndef POLICY_MAC_H
#define POLICY_MAC_H

#include "policy/text.h"

enum {
	MAC_BYTES = 6,
	MAC_BLOCK_BYTES = 5, /* what all addresses of a block begin with; the last octet is free */
	MAC_TEXT = 18,	     /* room for the text of one, NUL included */
};

/*
 * Six octets in hexadecimal, each two digits, apart by ':'. Unicast, and not all zero: the lowest bit of the first is
 * 0 (IEEE 802), as the kernel's is_valid_ether_addr (linux/etherdevice.h) demands.
 */
bool mac_read(struct word word, unsigned char mac[static MAC_BYTES]);
void mac_text(const unsigned char mac[static MAC_BYTES], char text[static MAC_TEXT]);

/*
 * The block of a user on a network: locally administered, unicast (IEEE 802), and below 0x80. So it is never one that
 * begins with 0xFE: these are the taps' own, and libvirt does not let a guest have one (src/util/virnetdevtap.c). False
 * if the network's name cannot be one.
 */
bool mac_block(uint32_t uid, const char *network, unsigned char block[static MAC_BLOCK_BYTES]);
bool mac_in_block(const unsigned char mac[static MAC_BYTES], const unsigned char block[static MAC_BLOCK_BYTES]);

#endif
