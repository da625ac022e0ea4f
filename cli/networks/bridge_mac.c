#include "cli/networks/bridge_mac.h"

#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "link/guard.h"

static const unsigned char mac_begin[] = {0x02, 0x74, 0x67};

bool bridge_mac_choose(const char *name, unsigned char mac[static 6])
{
	char id[64] = "";
	uint64_t digest = GUARD_DIGEST_START;
	FILE *file = fopen("/etc/machine-id", "re");

	if (file) {
		if (!fgets(id, sizeof(id), file))
			id[0] = '\0';
		fclose(file);
	}
	digest = guard_digest(guard_digest(digest, id, strlen(id)), name, strlen(name));
	if (strlen(id) < 32 && getrandom(&digest, sizeof(digest), 0) != sizeof(digest))
		digest = guard_digest(digest, name, strlen(name));
	memcpy(mac, mac_begin, sizeof(mac_begin));
	memcpy(mac + sizeof(mac_begin), &digest, 6 - sizeof(mac_begin));
	return strlen(id) >= 32;
}

bool bridge_mac_is_ours(const unsigned char mac[static 6])
{
	return memcmp(mac, mac_begin, sizeof(mac_begin)) == 0;
}

bool bridge_mac_is_right(const struct link_interface *bridge)
{
	unsigned char mac[6];

	return bridge_mac_is_ours(bridge->mac) &&
	       (!bridge_mac_choose(bridge->name, mac) || memcmp(bridge->mac, mac, sizeof(mac)) == 0);
}
