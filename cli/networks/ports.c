#include "cli/networks/ports.h"

#include <linux/if_link.h>
#include <string.h>

#include "link/alias.h"

#define ISOLATED LINK_PORT(IFLA_BRPORT_ISOLATED)

/* Whether a port must be isolated and is not: a tap of a network that was of another mode when it was made. */
static bool must_be_isolated(const struct policy_network *network, int bridge, const struct link_interface *port)
{
	struct alias_tap tap;

	return network->mode == MODE_NAT && bridge && port->master == bridge && alias_read_tap(port, &tap) &&
	       (port->port.known & ISOLATED) && !(port->port.on & ISOLATED);
}

static bool unisolate_again(struct session *session, const struct undo_values *values)
{
	const struct link_port port = {.known = ISOLATED};
	int error = link_set_port(session->link, values->index, &port);

	return !error || session_fail(values->name, error, "let a port see its neighbours again");
}

bool ports_isolate(struct session *session, const struct policy_network *network, int bridge)
{
	const struct link_port isolated = {.known = ISOLATED, .on = ISOLATED};

	for (size_t i = 0; i < session->host.interface_count; i++) {
		const struct link_interface *port = &session->host.interfaces[i];
		struct undo_values undo = {.index = port->index};
		int error;

		if (!must_be_isolated(network, bridge, port))
			continue;
		memcpy(undo.name, network->name, sizeof(network->name));
		if (!session->dry)
			session_undo_with(session, unisolate_again, undo);
		error = session->dry ? 0 : link_set_port(session->link, port->index, &isolated);
		if (error)
			return session_fail(network->name, error, "isolate the port '%s'", port->name);
		session_say(session, network->name, "isolated", "isolate", "the port '%s'", port->name);
	}
	return true;
}

bool ports_differ(const struct host *host, const struct policy_network *network, int bridge)
{
	for (size_t i = 0; i < host->interface_count; i++) {
		if (must_be_isolated(network, bridge, &host->interfaces[i]))
			return true;
	}
	return false;
}
