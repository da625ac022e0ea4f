#include "link/locked.h"

#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <netlink/msg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "link/exchange.h"

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
	const struct ifinfomsg header = {.ifi_index = locked->tap};
	char mark[MARK_MAX];

	write_mark(locked, mark);
	exchange_begin(link, RTM_NEWLINKPROP, NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL, &header, sizeof(header));
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
	const struct ifinfomsg header = {0};
	const uint32_t without = RTEXT_FILTER_SKIP_STATS;
	struct locked_reader reader = {each, context};

	exchange_begin(link, RTM_GETLINK, NLM_F_DUMP, &header, sizeof(header));
	exchange_put(link, IFLA_EXT_MASK, &without, sizeof(without));
	return exchange_interfaces(link, reply_take_locked, &reader);
}
