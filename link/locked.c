#include "link/locked.h"

#include <errno.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
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
	unsigned char *mac = locked->mac;
	char again[MARK_MAX];

	if (sscanf(mark, MARK "%d-%2hhx%2hhx%2hhx%2hhx%2hhx%2hhx", &locked->bridge, mac, mac + 1, mac + 2, mac + 3,
		    mac + 4, mac + 5) != 7)
		return false;
	write_mark(locked, again);
	return strcmp(mark, again) == 0;
}

/* IFLA_PROP_LIST { IFLA_ALT_IFNAME name } */
int locked_mark(struct link *link, const struct locked *locked)
{
	const struct ifinfomsg header = {.ifi_index = locked->tap};
	struct nl_msg *request =
		exchange_request(RTM_NEWLINKPROP, NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL, &header, sizeof(header));
	struct nlattr *names = request ? nla_nest_start(request, IFLA_PROP_LIST) : NULL;
	char mark[MARK_MAX];

	write_mark(locked, mark);
	if (!names || nla_put_string(request, IFLA_ALT_IFNAME, mark) < 0) {
		nlmsg_free(request);
		return -ENOMEM;
	}
	nla_nest_end(request, names);
	return exchange_acknowledged(link, request);
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
		char mark[MARK_MAX];

		if (nla_type(name) == IFLA_ALT_IFNAME && reply_text(name, mark, sizeof(mark)) &&
			read_mark(mark, &locked))
			reader->each(reader->context, &locked);
	}
	return true;
}

int locked_each(struct link *link, void (*each)(void *context, const struct locked *), void *context)
{
	const struct ifinfomsg header = {0};
	struct nl_msg *request = exchange_request(RTM_GETLINK, NLM_F_DUMP, &header, sizeof(header));
	struct locked_reader reader = {each, context};
	struct reply reply = {.dump = true, .take = reply_take_locked, .context = &reader};

	if (!request || nla_put_u32(request, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS) < 0) {
		nlmsg_free(request);
		return -ENOMEM;
	}
	return exchange(link, request, &reply);
}
