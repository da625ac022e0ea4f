// SPDX-License-Identifier: MIT
/*
 * What a DHCP client on a standalone tap is answered (RFC 2131): a function of its message and of what the tap's guest
 * is to have, without a memory. So an address is the tap's, whoever is behind it: it cannot be used up, and the next
 * machine on the tap has it at once.
 */
#include "dhcp/dhcp.h"

#include <string.h>

/* Where what stands in a message, and numbers of options (RFC 2131, 2; RFC 2132). */
enum {
	AT_OP = 0,
	AT_KIND = 1,
	AT_LENGTH = 2,
	AT_ID = 4,
	AT_FLAGS = 10,
	AT_CIADDR = 12,
	AT_YIADDR = 16,
	AT_GIADDR = 24,
	AT_CHADDR = 28,
	AT_COOKIE = 236,
	AT_OPTIONS = 240,
	BOOTP_SIZE = 300, /* what the shortest message has (RFC 1542, 2.1) */
	REQUEST = 1,
	REPLY = 2,
	ETHERNET = 1,
	OPTION_PAD = 0,
	OPTION_MASK = 1,
	OPTION_HOST_NAME = 12,
	OPTION_WANTED = 50,
	OPTION_LEASE_TIME = 51,
	OPTION_TYPE = 53,
	OPTION_SERVER = 54,
	OPTION_END = 255,
};
enum type { DISCOVER = 1, OFFER = 2, WANT = 3, ACK = 5, NAK = 6, INFORM = 8 };

static const unsigned char cookie[] = {0x63, 0x82, 0x53, 0x63};

/* An option of a message that has `length` bytes; NULL: it has none. */
static const unsigned char *find_option(const unsigned char *message, size_t size, unsigned char code, size_t length)
{
	size_t at = AT_OPTIONS;

	while (at < size && message[at] != OPTION_END) {
		if (message[at] == OPTION_PAD) {
			at++;
			continue;
		}
		if (at + 2 > size || at + 2 + message[at + 1] > size)
			return NULL;
		if (message[at] == code)
			return message[at + 1] == length ? message + at + 2 : NULL;
		at += 2U + message[at + 1];
	}
	return NULL;
}

/* A client's own message, of a card of Ethernet; no relay's. */
static bool is_question(const unsigned char *message, size_t size)
{
	static const unsigned char none[4];

	return size >= AT_OPTIONS && message[AT_OP] == REQUEST && message[AT_KIND] == ETHERNET &&
	       message[AT_LENGTH] == MAC_BYTES && memcmp(message + AT_GIADDR, none, sizeof(none)) == 0 &&
	       memcmp(message + AT_COOKIE, cookie, sizeof(cookie)) == 0;
}

/* The type of the answer; 0: none. A client names the server that it takes, and the address that it wants or has. */
static enum type judge(const unsigned char *message, size_t size, const struct answer_terms *terms)
{
	const unsigned char *type = find_option(message, size, OPTION_TYPE, 1),
			    *server = find_option(message, size, OPTION_SERVER, sizeof(terms->host)),
			    *wanted = find_option(message, size, OPTION_WANTED, sizeof(terms->guest));

	if (!type || (server && memcmp(server, terms->host, sizeof(terms->host)) != 0))
		return 0;
	if (*type == DISCOVER)
		return OFFER;
	if (*type == INFORM)
		return ACK;
	if (*type != WANT)
		return 0;
	return memcmp(wanted ? wanted : message + AT_CIADDR, terms->guest, sizeof(terms->guest)) == 0 ? ACK : NAK;
}

/* Add an option; there is room for all (dhcp.h). */
static void add(unsigned char *answer, size_t *used, unsigned char code, const void *bytes, size_t size)
{
	answer[(*used)++] = code;
	answer[(*used)++] = (unsigned char)size;
	memcpy(answer + *used, bytes, size);
	*used += size;
}

static void add_number(unsigned char *answer, size_t *used, unsigned char code, uint32_t number)
{
	const unsigned char bytes[] = {(unsigned char)(number >> 24), (unsigned char)(number >> 16),
		(unsigned char)(number >> 8), (unsigned char)number};

	add(answer, used, code, bytes, sizeof(bytes));
}

/* All but what the type needs; one without a value is the host. */
static void add_terms(unsigned char *answer, size_t *used, const struct answer_terms *terms)
{
	add_number(answer, used, OPTION_MASK, ~(uint32_t)0 << (32 - terms->prefix));
	if (terms->name)
		add(answer, used, OPTION_HOST_NAME, terms->name, strlen(terms->name));
	for (size_t at = 0; at + 2 <= terms->size; at += 2U + terms->options[at + 1]) {
		const unsigned char *option = terms->options + at;

		if (option[1])
			add(answer, used, option[0], option + 2, option[1]);
		else
			add(answer, used, option[0], terms->host, sizeof(terms->host));
	}
}

size_t answer_make(const unsigned char *message, size_t size, const struct answer_terms *terms,
	unsigned char answer[static ANSWER_MAX])
{
	const bool understood = is_question(message, size);
	const enum type type = understood ? judge(message, size, terms) : 0;
	const bool inform = type == ACK && *find_option(message, size, OPTION_TYPE, 1) == INFORM;
	size_t used = AT_OPTIONS;

	if (!type)
		return 0;
	memset(answer, 0, ANSWER_MAX);
	memcpy(answer, message, AT_ID + 4);
	answer[AT_OP] = REPLY;
	answer[AT_LENGTH + 1] = 0; /* hops */
	memcpy(answer + AT_FLAGS, message + AT_FLAGS, 2);
	if (type == ACK)
		memcpy(answer + AT_CIADDR, message + AT_CIADDR, 4);
	if (type != NAK && !inform)
		memcpy(answer + AT_YIADDR, terms->guest, sizeof(terms->guest));
	memcpy(answer + AT_CHADDR, message + AT_CHADDR, MAC_BYTES);
	memcpy(answer + AT_COOKIE, cookie, sizeof(cookie));
	add(answer, &used, OPTION_TYPE, &(unsigned char){(unsigned char)type}, 1);
	add(answer, &used, OPTION_SERVER, terms->host, sizeof(terms->host));
	if (type != NAK && !inform)
		add_number(answer, &used, OPTION_LEASE_TIME, terms->lease);
	if (type != NAK)
		add_terms(answer, &used, terms);
	answer[used++] = OPTION_END;
	return used < BOOTP_SIZE ? BOOTP_SIZE : used;
}

const unsigned char *answer_card(const unsigned char *message, size_t size)
{
	return is_question(message, size) ? message + AT_CHADDR : NULL;
}

bool answer_is_for_address(const unsigned char answer[static ANSWER_MAX], const struct answer_terms *terms)
{
	return memcmp(answer + AT_CIADDR, terms->guest, sizeof(terms->guest)) == 0;
}
