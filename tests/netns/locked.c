// SPDX-License-Identifier: MIT
/* Guests behind locked ports, and what they send: see locked.h. */
#include "tests/netns/locked.h"

#include <stdlib.h>
#include <string.h>

#include "policy/text.h"

const char *own_address(const struct user *user, unsigned int octet)
{
	static char texts[64][MAC_TEXT];
	static unsigned int next;
	char *text = texts[next++ % COUNT(texts)];
	unsigned char mac[MAC_BYTES] = {0};

	assert_true(mac_block(user->uid, "br0", mac));
	mac[MAC_BYTES - 1] = (unsigned char)octet;
	mac_text(mac, text);
	return text;
}

void assert_locked(const struct result *result, const char *mac)
{
	const char *tap = tap_of(result);

	EXPECT(result, strcmp(first_line("/sys/class/net/%s/brport/learning", tap), "0") == 0);
	EXPECT(result, shell_status("bridge -d link show dev %s | grep -q ' locked on'", tap) == 0);
	EXPECT(result,
		shell_status("bridge -d fdb show br br0 brport %s | grep -q '^%s.* sticky static *$'", tap, mac) == 0 ||
			shell_status("bridge -d fdb show br br0 brport %s | grep '^%s' | grep static | grep -q sticky",
				tap, mac) == 0);
	EXPECT(result, atoi(command_line("bridge fdb show br br0 brport %s | grep -c static", tap)) == 1);
}
