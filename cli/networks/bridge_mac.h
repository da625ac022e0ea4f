/*
 * Hardware addresses of the bridges that tapgate makes: a bridge's own, the same after each boot, as guests know their
 * router by it. Locally administered (IEEE 802), 02:74:67 as its beginning, so that udev's rules know such a bridge
 * when they first see it; the rest from the machine's identity (machine-id(5)) and the network's name, or from chance
 * where there is no such identity.
 */
#ifndef CLI_NETWORKS_BRIDGE_MAC_H
#define CLI_NETWORKS_BRIDGE_MAC_H

#include "link/link.h"

/* Choose one for a network; whether it is the same each time. */
bool bridge_mac_choose(const char *name, unsigned char mac[static 6]);

/* Whether an address begins as ours do; whether a bridge's is the one that it is to have. */
bool bridge_mac_is_ours(const unsigned char mac[static 6]);
bool bridge_mac_is_right(const struct link_interface *bridge);

#endif
