/* A network as it stands beside what the policy wants: found out here, shown by `tapgate status`. */
#ifndef CLI_NETWORKS_REPORT_H
#define CLI_NETWORKS_REPORT_H

#include "cli/networks/dnsmasq.h"
#include "cli/session.h"
#include "link/alias.h"
#include "policy/policy.h"

/* What a network comes to. */
enum report_state { REPORT_UP, REPORT_DOWN, REPORT_MISSING, REPORT_DIFFERENT, REPORT_LEFT_OVER };
enum report_guard { GUARD_NONE, GUARD_UNKNOWN, GUARD_MISSING, GUARD_CHANGED, GUARD_STANDS };

struct report {
	const struct policy_network *network; /* NULL: left over, the policy has no line for it any more */
	char name[IFNAMSIZ];
	const struct link_interface *bridge; /* NULL: none, or none of that name that may be it */
	enum report_state state;
	const char *difference; /* what is not as wanted, or not there; NULL if nothing */
	enum report_guard guard;
	enum dnsmasq_state dnsmasq;
	pid_t dnsmasq_pid;
};

const char *report_state_word(enum report_state state);
const char *report_guard_word(enum report_guard guard);
const char *report_dnsmasq_word(const struct report *report);

/* Find out about a network of the policy, or (network NULL) about one that is left over. */
struct report report_make(struct session *session, const struct policy_network *network, const char *name);

/* A member of a network: a port of its bridge, or a standalone tap. */
struct report_member {
	const struct link_interface *interface;
	bool ours;	      /* a tap of the helper's */
	struct alias_tap tap; /* then, whose */
};

/* Call `each` for every member, and for every address of the host's on an interface. */
void report_each_member(const struct session *session, const struct report *report,
	void (*each)(void *context, const struct report_member *), void *context);
void report_each_address(
	const struct session *session, int index, void (*each)(void *context, const char *address), void *context);

#endif
