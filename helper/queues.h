/*
 * A tap of several queues. The kernel lets any user join such a tap while it has no owner, which is for microseconds
 * when it is made. So its name cannot be foretold, it is root's and stays so, and what was made is looked at: if
 * somebody was there, all is made anew.
 */
#ifndef HELPER_QUEUES_H
#define HELPER_QUEUES_H

#include "helper/port.h"

/*
 * Make the open descriptors, two at least, a tap of that index and its queues; its name is one that nobody can know.
 * -EBUSY: the index is taken. -EUSERS: it was joined by others, however often it was made.
 */
int queues_make(const struct order *order, struct link *link, int index, struct port *port);

/* Whether it is nobody's but ours still: 0, -EUSERS, or another negative errno value. */
int queues_hold(const struct order *order, struct link *link, const struct port *port);

#endif
