// SPDX-License-Identifier: MIT
/*
 * What tapgate writes on interfaces, to know its own again: aliases, and the marks of taps that are locked to an
 * address. Only CAP_NET_ADMIN can write either (net/core/rtnetlink.c), and everybody can read them (ip link,
 * /sys/class/net/NAME/ifalias).
 *
 *	tapgate network=lab mode=host-only	a bridge that `tapgate up` made
 *	tapgate uid=1000 net=lab vmm=4711	a tap that the helper made, for whom
 *	tapgate probe				a tap of `tapgate check --live`, for a moment (networks/probe.c)
 */
#include "link/exchange.h"

#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <netlink/msg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void alias_of_bridge(const char *network, const char *mode, char alias[static IFALIASZ])
{
	snprintf(alias, IFALIASZ, ALIAS_BRIDGE "%.15s mode=%.15s", network, mode);
}

void alias_of_tap(const struct alias_tap *tap, char alias[static IFALIASZ])
{
	snprintf(alias, IFALIASZ, ALIAS_TAP "%u net=%.15s vmm=%d", tap->uid, tap->network, tap->vmm);
}

bool alias_is_bridge(const struct link_interface *interface)
{
	return strcmp(interface->kind, "bridge") == 0 &&
	       strncmp(interface->alias, ALIAS_BRIDGE, strlen(ALIAS_BRIDGE)) == 0;
}

/* Believed only if writing what was read gives the same alias. */
bool alias_read_tap(const struct link_interface *interface, struct alias_tap *tap)
{
	const char *alias = interface->alias, *network, *vmm;
	char again[IFALIASZ];

	if (strcmp(interface->kind, "tun") != 0 || strncmp(alias, ALIAS_TAP, strlen(ALIAS_TAP)) != 0)
		return false;
	network = strstr(alias, " net=");
	vmm = strstr(alias, " vmm=");
	if (!network || !vmm)
		return false;
	*tap = (struct alias_tap){.uid = (uint32_t)strtoul(alias + strlen(ALIAS_TAP), NULL, 10),
		.vmm = (int)strtol(vmm + strlen(" vmm="), NULL, 10)};
	network += strlen(" net=");
	snprintf(tap->network, sizeof(tap->network), "%.*s", (int)(vmm - network), network);
	alias_of_tap(tap, again);
	return strcmp(alias, again) == 0;
}

bool alias_is_probe(const struct link_interface *interface)
{
	return strcmp(interface->kind, "tun") == 0 && strcmp(interface->alias, ALIAS_PROBE) == 0;
}

bool alias_is_missing(const struct link_interface *interface)
{
	return strcmp(interface->kind, "tun") == 0 && !interface->alias[0] && interface->index >= ALIAS_INDEXES;
}

/* --- locked ------------------------------------------------------------------------------------------------------- */

/*
 * Taps that are locked to an address (lock-mac), and to which, on which bridge: written on the tap itself, as an
 * alternative name, "tapgate-lock-7-525400123456" for bridge 7.
 *
 * No two interfaces have one name, alternative or not (net/core/dev.c), so of all that are to be locked to an address
 * one is. Only CAP_NET_ADMIN can write such a name, and it goes with the tap. Unlike the entry in the bridge's
 * forwarding database it stays whatever hardware addresses others give their taps. Linux 5.5.
 */

#define MARK "tapgate-lock-"

enum { MARK_MAX = 64 };

static void write_mark(const struct locked *locked, char mark[static MARK_MAX])
{
	const unsigned char *mac = locked->mac;

	snprintf(mark, MARK_MAX, MARK "%d-%02x%02x%02x%02x%02x%02x", locked->bridge, mac[0], mac[1], mac[2], mac[3],
		mac[4], mac[5]);
}

/* Believed only if writing it gives the same. */
static bool read_mark(const char *mark, struct locked *locked)
{
	char again[MARK_MAX], *end;
	unsigned long long mac;

	if (strncmp(mark, MARK, strlen(MARK)) != 0)
		return false;
	locked->bridge = (int)strtol(mark + strlen(MARK), &end, 10);
	mac = *end == '-' ? strtoull(end + 1, NULL, 16) : 0;
	for (int i = 5; i >= 0; i--, mac >>= 8)
		locked->mac[i] = (unsigned char)mac;
	write_mark(locked, again);
	return strcmp(mark, again) == 0;
}

/* IFLA_PROP_LIST { IFLA_ALT_IFNAME name } */
int locked_mark(struct link *link, const struct locked *locked)
{
	char mark[MARK_MAX];

	write_mark(locked, mark);
	exchange_begin_interface(link, RTM_NEWLINKPROP, NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL, locked->tap);
	exchange_nest(link, IFLA_PROP_LIST);
	exchange_put_text(link, IFLA_ALT_IFNAME, mark);
	return exchange(link, NULL, NULL);
}

/* RTM_NEWLINK { IFLA_PROP_LIST { IFLA_ALT_IFNAME name ... } ... } */
bool reply_take_locked(void *context, struct nlmsghdr *message)
{
	const struct locked_reader *reader = context;
	struct nlattr *attributes[IFLA_MAX + 1], *name;
	const struct ifinfomsg *header = nlmsg_data(message);
	int left;

	if (message->nlmsg_type != RTM_NEWLINK || nlmsg_parse(message, sizeof(*header), attributes, IFLA_MAX, NULL) < 0)
		return false;
	if (!attributes[IFLA_PROP_LIST])
		return true;
	nla_for_each_nested(name, attributes[IFLA_PROP_LIST], left)
	{
		struct locked locked = {.tap = header->ifi_index};
		const char *mark = nla_data(name);

		if (nla_type(name) == IFLA_ALT_IFNAME && nla_len(name) > 0 && mark[nla_len(name) - 1] == '\0' &&
			read_mark(mark, &locked))
			reader->each(reader->context, &locked);
	}
	return true;
}

int locked_each(struct link *link, void (*each)(void *context, const struct locked *), void *context)
{
	const uint32_t without = RTEXT_FILTER_SKIP_STATS;
	struct locked_reader reader = {each, context};

	exchange_begin_interface(link, RTM_GETLINK, NLM_F_DUMP, 0);
	exchange_put(link, IFLA_EXT_MASK, &without, sizeof(without));
	return exchange(link, reply_take_locked, &reader);
}
