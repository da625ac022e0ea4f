/*
 * Fuzz target: what is received over netlink. The first byte of an input says which answer is waited for, and whether
 * every message is given the sequence and port that are expected; the rest is the datagram. Sequence and port are right
 * in all that the kernel sends, so that most mistakes would be behind them.
 *
 * Links: link/reply.c pkg:libnl-3.0
 */
#include <errno.h>
#include <linux/netlink.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "link/reply.h"
#include "tests/fuzz/fuzz.h"

/* The first byte. */
enum { ANSWER = 3, ONE_INTERFACE = 0, LIST = 1, ACKNOWLEDGEMENT = 2, ADDRESSED = 4 };

enum { SEQUENCE = 7, PORT = 4711 };

static bool is_text(const char *text, size_t room)
{
	return memchr(text, '\0', room) != NULL;
}

/* What the rest of the program relies on without looking again. */
static void check_interface(void *context, const struct link_interface *interface)
{
	unsigned int *count = context;

	(*count)++;
	MUST(interface->index > 0 && interface->master >= 0);
	MUST(is_text(interface->name, sizeof(interface->name)) && interface->name[0]);
	MUST(is_text(interface->kind, sizeof(interface->kind)));
	MUST(is_text(interface->alias, sizeof(interface->alias)));
}

/* Address every message to us, as far as their lengths lead from one to the next. */
static void address(unsigned char *datagram, size_t size)
{
	struct nlmsghdr header;
	size_t step;

	for (size_t at = 0; at <= size && size - at >= sizeof(header); at += step) {
		memcpy(&header, datagram + at, sizeof(header));
		header.nlmsg_seq = SEQUENCE;
		header.nlmsg_pid = PORT;
		memcpy(datagram + at, &header, sizeof(header));
		step = NLMSG_ALIGN((size_t)header.nlmsg_len);
		if (step < sizeof(header))
			return;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	unsigned int count = 0;
	struct reply reply = {.sequence = SEQUENCE, .port = PORT, .each = check_interface, .context = &count};
	unsigned char *datagram;
	int result;

	if (size == 0)
		return 0;
	reply.dump = (data[0] & ANSWER) == LIST;
	reply.acknowledge = (data[0] & ANSWER) == ACKNOWLEDGEMENT;
	/* A copy of its own: aligned as libnl's buffers are, and to its end, so that reading past it shows. */
	datagram = malloc(size > 1 ? size - 1 : 1);
	MUST(datagram);
	memcpy(datagram, data + 1, size - 1);
	if (data[0] & ADDRESSED)
		address(datagram, size - 1);
	result = reply_read(&reply, datagram, size - 1);
	free(datagram);

	MUST(result <= 1);
	MUST(result != 1 || reply.dump);
	MUST(reply.dump || count <= 1);
	MUST(!reply.acknowledge || count == 0);
	MUST(result != 0 || reply.dump || reply.acknowledge || count == 1);
	return 0;
}
