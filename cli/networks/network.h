/* One network: made as the policy wants it, or taken away. */
#ifndef CLI_NETWORKS_NETWORK_H
#define CLI_NETWORKS_NETWORK_H

#include "cli/session.h"
#include "policy/policy.h"

/*
 * Make managed networks as wanted: create what is missing, repair what drifted, nothing else. If something fails, what
 * was done to any of them is undone. A guard is there before its network is up, and at every moment that it is. It is
 * one network, or a group (groups.h).
 */
bool network_settle(struct session *session, const struct policy_network *const *networks, size_t count);

/*
 * Only see to it that a network which stands, its bridge up and of its mode, or a tap that stands alone, is not without
 * a guard that counts.
 */
bool network_keep_guarded(struct session *session, const struct policy_network *network);

/* Take away what tapgate made of a name: DHCP, bridge or standalone taps, and then the guard. */
bool network_remove(struct session *session, const char *name);

/* Call `each` for every network of which tapgate made anything that stands, whatever the policy says. */
bool network_each(struct session *session, void (*each)(void *context, const char *name), void *context);

/* Whether an interface is a tap that the helper made for a network. */
bool network_has_tap(const struct link_interface *interface, const char *name);

/*
 * Whether a tap of a network is none that its guard knows: the network stood alone when it was made and has a bridge
 * now, or is a pool now, or is none any more.
 */
bool network_is_stray(const struct policy_network *network, const struct link_interface *tap);

#endif
