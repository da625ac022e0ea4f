// SPDX-License-Identifier: MIT
/*
 * Many interfaces removed at once: the kernel waits for all processors a few times for each removal, however many
 * interfaces that is of (unregister_netdevice_many, net/core/dev.c), and can be told of many by their group alone.
 */
#include "link/exchange.h"

#include <errno.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <sys/random.h>

/* RTM_NEWLINK, or RTM_DELLINK of all that are in it where index is 0: IFLA_GROUP. */
static int send_group(struct link *link, int type, int index, uint32_t group)
{
	const struct ifinfomsg header = {.ifi_index = index};

	exchange_begin(link, type, NLM_F_ACK, &header, sizeof(header));
	exchange_put(link, IFLA_GROUP, &group, sizeof(group));
	return exchange(link, NULL, NULL);
}

int link_remove_all(struct link *link, const int *indexes, size_t count)
{
	uint32_t group;
	int error = 0;

	/* A group of their own: who sets some by hand counts from 0 (/etc/iproute2/group). */
	if (getrandom(&group, sizeof(group), 0) != sizeof(group))
		return -EIO;
	group |= UINT32_C(1) << 30;
	for (size_t i = 0; i < count && (!error || error == -ENODEV); i++)
		error = send_group(link, RTM_NEWLINK, indexes[i], group);
	return error && error != -ENODEV ? error : send_group(link, RTM_DELLINK, 0, group);
}
