/*
 * Aliases: what tapgate writes on interfaces, to know its own again. Only CAP_NET_ADMIN can write them
 * (net/core/rtnetlink.c), and everybody can read them (ip link, /sys/class/net/NAME/ifalias).
 *
 *	tapgate network=lab mode=host-only	a bridge that `tapgate up` made
 *	tapgate uid=1000 net=lab vmm=4711	a tap that the helper made, for whom
 */
#ifndef LINK_ALIAS_H
#define LINK_ALIAS_H

#include "link/link.h"

#define ALIAS_BRIDGE "tapgate network="
#define ALIAS_TAP    "tapgate uid="

void alias_of_bridge(const char *network, const char *mode, char alias[static IFALIASZ]);

/* What stands on a tap. */
struct alias_tap {
	uint32_t uid;
	char network[IFNAMSIZ];
	int vmm; /* the process that it was made for; 0: unknown */
};

void alias_of_tap(const struct alias_tap *tap, char alias[static IFALIASZ]);

/* Whether an interface is a bridge, or a tap, of tapgate's making; *tap receives what stands on it. */
bool alias_is_bridge(const struct link_interface *interface);
bool alias_read_tap(const struct link_interface *interface, struct alias_tap *tap);

/*
 * Indexes from here on are those under which the helper makes its taps (helper/place.c); the kernel's own choice for
 * other interfaces does not get there. And whether an interface is such a tap that is not signed yet.
 */
enum { ALIAS_INDEXES = 1 << 30 };
bool alias_is_missing(const struct link_interface *interface);

#endif
