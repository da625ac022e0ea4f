// SPDX-License-Identifier: MIT
/* Taps of several queues: the descriptors that come, and what they must be. */
#include "tests/netns/queues.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/common/receive.h"

static void receive(int peer, struct queues *queues)
{
	struct received received;

	for (*queues = (struct queues){.count = 0}; (received = receive_message(peer, MSG_DONTWAIT)).bytes > 0;
		queues->messages++) {
		queues->bytes += (unsigned int)received.bytes;
		if (!received.count)
			continue;
		assert_true(received.count <= COUNT(queues->fds) && !queues->count);
		queues->count = (unsigned int)received.count;
		memcpy(queues->fds, received.fds, received.count * sizeof(int));
	}
}

struct result queues_finish(struct running *running, int pair[static 2], struct queues *queues)
{
	struct result result = finish(running);

	close(pair[1]);
	receive(pair[0], queues);
	close(pair[0]);
	result.tap = queues->count ? queues->fds[0] : -1;
	return result;
}

struct result queues_run(const char *const *argv, struct queues *queues)
{
	struct running running;
	int pair[2];

	make_pair(&alice, SOCK_STREAM, pair);
	running = start(&(struct call){.about = argv[1], .argv = argv, .socket = pair[1]});
	return queues_finish(&running, pair, queues);
}

void queues_give_back(const struct result *result, struct queues *queues)
{
	for (unsigned int i = 0; i < queues->count; i++) {
		EXPECT(result, count_taps() == 1);
		close(queues->fds[i]);
	}
	EXPECT(result, count_taps() == 0);
}

void queues_check(const struct result *result, const struct queues *queues, unsigned int count, int flags)
{
	struct ifreq first = {0}, request = {0};

	EXPECT(result, result->code == 0 && result->errors_size == 0);
	EXPECT(result, queues->messages == 1 && queues->bytes == 1 && queues->count == count);
	EXPECT(result, count_taps() == 1);
	ioctl(queues->fds[0], TUNGETIFF, &first);
	EXPECT(result, first.ifr_flags == (short)flags);
	for (unsigned int i = 0; i < count; i++) {
		EXPECT(result, ioctl(queues->fds[i], TUNGETIFF, &request) == 0);
		EXPECT(result, strcmp(request.ifr_name, first.ifr_name) == 0 && request.ifr_flags == first.ifr_flags);
	}
	EXPECT(result, count == 1 || /* the kernel counts queues where there can be several */
			       atoi(command_line(
				       "ip -d link show dev %s | grep -o 'numqueues [0-9]*' | tail -1 | cut -d' ' -f2",
				       first.ifr_name)) >= (int)count);
	EXPECT(result, atoi(command_line("ls -d /sys/class/net/%s/queues/rx-* | wc -l", first.ifr_name)) == (int)count);
	/* Of several queues it is root's, as its user could join more otherwise. */
	EXPECT(result,
		strtoul(first_line("/sys/class/net/%s/owner", first.ifr_name), NULL, 10) == (count == 1 ? ALICE : 0));
	EXPECT(result, strstr(first_line("/sys/class/net/%s/ifalias", first.ifr_name), "tapgate uid=1000 net="));
}
