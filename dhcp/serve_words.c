// SPDX-License-Identifier: MIT
/* The words for tapgate-dhcp as a standalone network's server: what its line says, as DHCP's options (RFC 2132). */
#include "dhcp/internal.h"

#include <arpa/inet.h>
#include <stdio.h>

enum {
	ROUTER = 3,
	NAME_SERVERS = 6,
	DOMAIN_NAME = 15,
	MTU = 26,
	TIME_SERVERS = 42,
	SEARCH = 119, /* RFC 3397 */
};

static void append_bytes(char *text, size_t size, const void *bytes, size_t count)
{
	for (size_t i = 0; i < count; i++)
		text_append(text, size, "%02x", ((const unsigned char *)bytes)[i]);
}

/* IPv4 addresses, apart by ','; without a value where the host's own on the tap is meant. */
static void add_addresses(struct dnsmasq_words *words, unsigned int code, struct word list)
{
	struct policy_server server;
	char text[128] = "";

	while (!word_is(list, "host") && policy_next_server(&list, &server)) {
		if (server.family == AF_INET)
			append_bytes(text, sizeof(text), server.address, 4);
	}
	words_add(words, "%u:%s", code, text);
}

/* Domains, apart by ',', each as its labels with their lengths and an empty one at the end (RFC 1035, 3.1). */
static void add_search(struct dnsmasq_words *words, struct word list)
{
	struct word domain, label;
	char text[512] = "";

	while (word_cut(&list, ',', &domain)) {
		while (word_cut(&domain, '.', &label)) {
			const unsigned char length = (unsigned char)label.size;

			append_bytes(text, sizeof(text), &length, 1);
			append_bytes(text, sizeof(text), label.at, label.size);
		}
		append_bytes(text, sizeof(text), "", 1);
	}
	words_add(words, "%d:%s", SEARCH, text);
}

static void add_options(struct dnsmasq_words *words, const struct policy_network *network)
{
	const struct policy_served *served = &network->served;
	const uint32_t given = network->options.given;
	char text[512] = "";

	if ((given & OPTION_ROUTER) && !word_is(served->router, "none"))
		add_addresses(words, ROUTER, served->router);
	if (given & OPTION_DNS)
		add_addresses(words, NAME_SERVERS, served->dns);
	if (given & OPTION_NTP)
		add_addresses(words, TIME_SERVERS, served->ntp);
	if (given & OPTION_DOMAIN) {
		append_bytes(text, sizeof(text), served->domain.at, served->domain.size);
		words_add(words, "%d:%s", DOMAIN_NAME, text);
	}
	if (given & OPTION_SEARCH)
		add_search(words, served->search);
	if (given & OPTION_MTU)
		words_add(words, "%d:%04x", MTU, network->options.mtu);
}

static void add_guests(struct dnsmasq_words *words, const struct policy_network *network)
{
	for (const struct policy_guest *guest = NULL; (guest = policy_next_guest(network, guest));) {
		char mac[MAC_TEXT], address[INET_ADDRSTRLEN] = "";

		if (!(guest->options.given & OPTION_MAC))
			continue;
		mac_text(guest->options.mac, mac);
		if (guest->options.given & OPTION_IP)
			inet_ntop(AF_INET, guest->ipv4, address, sizeof(address));
		words_add(words, "%s,%s,%s", mac, address, guest->name);
	}
}

bool serve_words(struct dnsmasq_words *words, const char *program, const struct dnsmasq_account *account,
	const struct policy_network *network)
{
	const struct policy_subnet *ipv4 = &network->ipv4;
	char address[INET_ADDRSTRLEN] = "", per_vm[16] = "";

	inet_ntop(AF_INET, ipv4->address, address, sizeof(address));
	if (ipv4->per_vm)
		snprintf(per_vm, sizeof(per_vm), "/%u", ipv4->per_vm);
	words->size = 0;
	words_add(words, "%s", program);
	words_add(words, "serve");
	words_add(words, "%s", network->name);
	words_add(words, DNSMASQ_DIRECTORY "/%s.pid", network->name);
	words_add(words, "%u:%u", (unsigned int)account->uid, (unsigned int)account->gid);
	words_add(words, "%s/%u%s", address, ipv4->prefix, per_vm);
	words_add(words, "%u", policy_lease(network));
	add_options(words, network);
	add_guests(words, network);
	return dnsmasq_words_cut(words);
}
