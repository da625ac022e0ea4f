/* Hardware addresses of guests. Arithmetic on bytes: nothing here asks who has which. */
#include "policy/mac.h"

#include <netinet/ether.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

void mac_text(const unsigned char mac[static MAC_BYTES], char text[static MAC_TEXT])
{
	snprintf(text, MAC_TEXT, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3], mac[4], mac[5]);
}

bool mac_read(struct word word, unsigned char mac[static MAC_BYTES])
{
	static const unsigned char zero[MAC_BYTES];
	char text[MAC_TEXT] = "", strict[MAC_TEXT];
	struct ether_addr address;

	if (word.size != sizeof(text) - 1)
		return false;
	memcpy(text, word.at, word.size);
	/*
	 * Libc's parser takes more than we do, but only what it would be written as, in letters of either case, counts.
	 */
	if (!ether_aton_r(text, &address))
		return false;
	mac_text(address.ether_addr_octet, strict);
	memcpy(mac, address.ether_addr_octet, MAC_BYTES);
	return strcasecmp(text, strict) == 0 && !(mac[0] & 1) && memcmp(mac, zero, sizeof(zero)) != 0;
}

bool mac_block(uint32_t uid, const char *network, unsigned char block[static MAC_BLOCK_BYTES])
{
	const struct word name = {network, strlen(network)};
	/*
	 * FNV-1a, 64 bits (draft-eastlake-fnv). Not against malice: nobody chooses a user ID to meet another's block.
	 */
	uint64_t digest = UINT64_C(0xcbf29ce484222325);
	char text[32]; /* a number of ten digits, a blank, a name */

	if (word_name_problem(name))
		return false;
	snprintf(text, sizeof(text), "%u %.15s", uid, network);
	for (const char *at = text; *at; at++)
		digest = (digest ^ (unsigned char)*at) * UINT64_C(0x100000001b3);
	for (size_t i = 0; i < MAC_BLOCK_BYTES; i++)
		block[i] = (unsigned char)(digest >> 8 * i);
	block[0] = (block[0] & 0x7c) | 0x02;
	return true;
}

bool mac_in_block(const unsigned char mac[static MAC_BYTES], const unsigned char block[static MAC_BLOCK_BYTES])
{
	return memcmp(mac, block, MAC_BLOCK_BYTES) == 0;
}
