// SPDX-License-Identifier: MIT
/* Builds and reads the frames that tests send: see frames.h. */
#include "tests/netns/frames.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

void make_br0(void)
{
	make_bridge("br0");
	command("ip link set br0 address " BR0_MAC);
}

void await_bridge(const char *port)
{
	for (int tries = 0; tries < 5000; tries++) {
		if (strcmp(first_line("/sys/class/net/%s/master/operstate", port), "up") == 0)
			return;
		usleep(1000);
	}
	fail_msg("the bridge of %s does not come up", port);
}

void await_forwarding(const struct result *result)
{
	int state = -1;

	for (int tries = 0; tries < 5000 && state != 3; tries++) {
		state = atoi(first_line("/sys/class/net/%s/brport/state", tap_of(result)));
		if (state != 3)
			usleep(1000);
	}
	EXPECT(result, state == 3);
	await_bridge(tap_of(result));
}

const unsigned char *mac_of(const char *text)
{
	static unsigned char macs[4][6];
	static unsigned int next;
	unsigned char *mac = macs[next++ % 4];

	for (size_t i = 0; i < 6; i++)
		mac[i] = (unsigned char)strtoul(text + 3 * i, NULL, 16);
	return mac;
}

void make_frame(unsigned char frame[FRAME_MIN], const char *to, const char *from, unsigned int number)
{
	memset(frame, 0, FRAME_MIN);
	memcpy(frame, mac_of(to), 6);
	memcpy(frame + 6, mac_of(from), 6);
	frame[12] = 0x88;
	frame[13] = 0xb5;
	frame[14] = (unsigned char)(number >> 8);
	frame[15] = (unsigned char)number;
}

void send_frame(const struct result *result, const char *to, const char *from, unsigned int number)
{
	unsigned char frame[FRAME_MIN];

	make_frame(frame, to, from, number);
	EXPECT(result, write(result->tap, frame, FRAME_MIN) == FRAME_MIN);
}

int packet_socket(const char *interface)
{
	struct sockaddr_ll address = {.sll_family = AF_PACKET,
		.sll_protocol = htons(ETH_P_ALL),
		.sll_ifindex = (int)if_nametoindex(interface)};
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, htons(ETH_P_ALL));

	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

bool frame_comes(int fd, unsigned int number)
{
	unsigned char frame[2048];

	fcntl(fd, F_SETFL, O_NONBLOCK);
	for (int tries = 0; tries < 2000; tries++) {
		ssize_t size;

		while ((size = read(fd, frame, sizeof(frame))) > 0)
			if (size >= 16 && frame[12] == 0x88 && frame[13] == 0xb5)
				return frame[14] == number >> 8 && frame[15] == (number & 0xff);
		usleep(1000);
	}
	return false;
}

unsigned int count_entries(void)
{
	return (unsigned int)atoi(command_line("bridge fdb show br br0 | wc -l"));
}

bool has_entry(const char *words)
{
	return shell_status("bridge fdb show br br0 | grep -q '^%s'", words) == 0;
}
