/* Hardware addresses of guests. Arithmetic on bytes: nothing here asks who has which. */
#include "policy/mac.h"

#include <stdio.h>
#include <string.h>

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

bool mac_read(struct word word, unsigned char mac[static MAC_BYTES])
{
	static const unsigned char zero[MAC_BYTES];

	if (word.size != MAC_TEXT - 1)
		return false;
	for (size_t i = 0; i < MAC_BYTES; i++) {
		int high = hex_digit(word.at[3 * i]), low = hex_digit(word.at[3 * i + 1]);

		if (high < 0 || low < 0 || (i < MAC_BYTES - 1 && word.at[3 * i + 2] != ':'))
			return false;
		mac[i] = (unsigned char)(high * 16 + low);
	}
	return !(mac[0] & 1) && memcmp(mac, zero, sizeof(zero)) != 0;
}

void mac_text(const unsigned char mac[static MAC_BYTES], char text[static MAC_TEXT])
{
	snprintf(text, MAC_TEXT, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3], mac[4], mac[5]);
}

/* FNV-1a, 64 bits (draft-eastlake-fnv). Not against malice: nobody chooses a user ID to meet another one's block. */
static uint64_t digest(const char *text)
{
	uint64_t value = UINT64_C(0xcbf29ce484222325);

	for (; *text; text++)
		value = (value ^ (unsigned char)*text) * UINT64_C(0x100000001b3);
	return value;
}

bool mac_block(uint32_t uid, const char *network, unsigned char block[static MAC_BLOCK_BYTES])
{
	const struct word name = {network, strlen(network)};
	char text[32]; /* a number of ten digits, a blank, a name */
	uint64_t value;

	if (word_name_problem(name))
		return false;
	snprintf(text, sizeof(text), "%u %.15s", uid, network);
	value = digest(text);
	for (size_t i = 0; i < MAC_BLOCK_BYTES; i++)
		block[i] = (unsigned char)(value >> 8 * i);
	block[0] = (block[0] & 0x7c) | 0x02;
	return true;
}

bool mac_in_block(const unsigned char mac[static MAC_BYTES], const unsigned char block[static MAC_BLOCK_BYTES])
{
	return memcmp(mac, block, MAC_BLOCK_BYTES) == 0;
}
