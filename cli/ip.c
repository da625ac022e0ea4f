/* `tapgate ip`: the addresses of a guest, and nothing else on standard output. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "cli/commands.h"
#include "cli/load.h"
#include "cli/networks/dnsmasq_words.h"
#include "cli/say.h"
#include "cli/taps/claims.h"
#include "cli/taps/list.h"

/* What the word is. Names that guests choose come last, lest a guest takes the place of another. */
enum meaning { TAP, NETWORK, MAC, HOST_NAME, NOTHING };

struct question {
	const char *word;
	enum meaning meaning;
	unsigned char mac[MAC_BYTES];
	const struct scene *scene;
};

/* A host name, bare or in its network's domain; a dot at the end says that it is whole (RFC 1034, 3.1). */
static bool has_name(const struct scene_guest *guest, const char *word)
{
	size_t size = strlen(guest->name), left = strlen(word);
	char domain[DNSMASQ_DOMAIN_MAX];

	if (left > 0 && word[left - 1] == '.')
		left--;
	if (size == 0 || left < size || strncasecmp(word, guest->name, size) != 0)
		return false;
	if (left == size)
		return true;
	dnsmasq_domain(guest->network, domain);
	return word[size] == '.' && left - size - 1 == strlen(domain) &&
	       strncasecmp(word + size + 1, domain, strlen(domain)) == 0;
}

static bool is_meant(const struct question *question, const struct scene_guest *guest)
{
	const struct scene_tap *tap = guest->tap ? scene_tap_at(question->scene, guest->tap) : NULL;

	switch (question->meaning) {
	case TAP:
		return tap && strcmp(tap->interface.name, question->word) == 0;
	case NETWORK:
		return strcmp(guest->network, question->word) == 0;
	case MAC:
		return guest->has_mac && memcmp(guest->mac, question->mac, MAC_BYTES) == 0;
	case HOST_NAME:
		return has_name(guest, question->word);
	case NOTHING:
		break;
	}
	return false;
}

static bool is_network(const struct question *question)
{
	const struct scene *scene = question->scene;

	for (size_t i = 0; i < scene->tap_count; i++) {
		if (strcmp(scene->taps[i].alias.network, question->word) == 0)
			return true;
	}
	for (size_t i = 0; i < scene->guest_count; i++) {
		if (strcmp(scene->guests[i].network, question->word) == 0)
			return true;
	}
	return false;
}

static enum meaning meaning_of(struct question *question)
{
	const struct scene *scene = question->scene;

	for (size_t i = 0; i < scene->tap_count; i++) {
		if (strcmp(scene->taps[i].interface.name, question->word) == 0)
			return TAP;
	}
	if (is_network(question))
		return NETWORK;
	if (mac_read((struct word){question->word, strlen(question->word)}, question->mac))
		return MAC;
	for (size_t i = 0; i < scene->guest_count; i++) {
		if (has_name(&scene->guests[i], question->word))
			return HOST_NAME;
	}
	return NOTHING;
}

/* --- which guest ------------------------------------------------------------------------------------------------- */

/* An address that a client of DHCPv6 has is its own only by its word, until the host has heard it from there. */
static bool is_claim(const struct scene_address *address)
{
	return address->family == AF_INET6 && address->leased && !address->heard;
}

static bool has_address(const struct scene_guest *guest)
{
	for (size_t i = 0; i < guest->address_count; i++) {
		if (!is_claim(&guest->addresses[i]))
			return true;
	}
	return false;
}

/*
 * How good an answer a guest is: one without an address is none. One that is behind a tap now comes before one that is
 * only in a lease, as that of a machine that has ended.
 */
static int rank_of(const struct question *question, const struct scene_guest *guest)
{
	return !is_meant(question, guest) || !has_address(guest) ? 0 : guest->tap ? 2 : 1;
}

static void describe(const struct question *question, const struct scene_guest *guest, FILE *out)
{
	const struct scene_tap *tap = guest->tap ? scene_tap_at(question->scene, guest->tap) : NULL;
	char mac[MAC_TEXT], name[LIST_NAME_TEXT], address[SCENE_ADDRESS_TEXT];

	mac_text(guest->mac, mac);
	list_name(guest->name, name);
	scene_address_text(&guest->addresses[0], address);
	fprintf(out, "%s%s%s (%s, %s)", *name ? name : "", *name && guest->has_mac ? " " : "",
		guest->has_mac ? mac : "", tap ? tap->interface.name : guest->network, address);
}

/* More than one: say which, as far as they go into a line that can be read. */
static void say_ambiguous(const struct question *question, int rank, unsigned int count)
{
	enum { SHOWN = 8 };
	struct word word = {question->word, strlen(question->word)};
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	unsigned int shown = 0;

	for (size_t i = 0; out && i < question->scene->guest_count && shown < SHOWN; i++) {
		if (rank_of(question, &question->scene->guests[i]) != rank)
			continue;
		fputs(shown++ ? ", " : "", out);
		describe(question, &question->scene->guests[i], out);
	}
	if (out && fclose(out) == 0)
		say_error("%s is %u guests: %s%s; name one by its tap or its hardware address", QUOTED(word), count,
			text, count > shown ? ", ..." : "");
	free(text);
}

/* None: say what was looked at, and what helps. */
static void say_unknown(const struct question *question)
{
	struct word word = {question->word, strlen(question->word)};
	char leases[128] = "";

	if (question->scene->no_leases)
		text_append(leases, sizeof(leases), " (not all leases could be read: %s)",
			strerror(-question->scene->no_leases));
	if (question->meaning == NOTHING)
		say_error("%s is no tap or network with a guest, and no lease has that host name%s; see: tapgate list",
			QUOTED(word), leases);
	else if (question->meaning == MAC)
		say_error("no address of a guest %s is known by leases or the host's neighbours%s; one with an "
			  "address of its own is known once it has spoken with the host",
			QUOTED(word), leases);
	else
		say_error("no address of the guest on %s is known by leases or the host's neighbours%s; one with an "
			  "address of its own is known once it has spoken with the host",
			QUOTED(word), leases);
}

/*
 * Warn of those who would have the name that was asked for. False, and said why: whoever has it may be another guest
 * than the one behind its hardware address now.
 */
static bool judge(const struct question *question, const struct scene_guest *found)
{
	const struct scene *scene = question->scene;
	struct word word = {question->word, strlen(question->word)};

	for (size_t i = 0; i < scene->guest_count; i++) {
		const struct scene_guest *guest = &scene->guests[i];

		if (guest == found || (strcmp(guest->network, found->network) == 0 && *guest->refused &&
					      strcasecmp(guest->refused, found->name) == 0))
			claims_warn(scene, guest);
	}
	return question->meaning != HOST_NAME || !claims_are_two(scene, found) ||
	       say_error("%s is two guests, as it seems; name one by its tap", QUOTED(word));
}

/* The one guest that is meant; NULL: said why there is none. */
static const struct scene_guest *find_guest(struct question *question)
{
	const struct scene_guest *found = NULL;
	unsigned int count = 0;
	int best = 1;

	question->meaning = meaning_of(question);
	for (size_t i = 0; i < question->scene->guest_count; i++) {
		int rank = rank_of(question, &question->scene->guests[i]);

		if (rank < best)
			continue;
		count = rank > best ? 1 : count + 1;
		best = rank;
		found = &question->scene->guests[i];
	}
	if (count == 1)
		return judge(question, found) ? found : NULL;
	if (count == 0)
		say_unknown(question);
	else
		say_ambiguous(question, best, count);
	return NULL;
}

/* --- the answer -------------------------------------------------------------------------------------------------- */

static void print_json(const struct scene *scene, const struct scene_guest *guest)
{
	const struct scene_tap *tap = guest->tap ? scene_tap_at(scene, guest->tap) : NULL;
	json_t *object =
		json_pack("{s:s?, s:s}", "interface", tap ? tap->interface.name : NULL, "network", guest->network);

	json_object_update_new(object, list_json_guest(guest));
	json_dumpf(object, stdout, JSON_INDENT(2));
	putchar('\n');
	json_decref(object);
}

static int answer(struct link *link, const struct words *words)
{
	struct scene scene = {.taps = NULL};
	struct question question = {.word = words->names[0], .scene = &scene};
	int error = scene_look(link, false, &scene);
	const struct scene_guest *guest = NULL;

	if (error)
		say_error("cannot read the host's taps and neighbours: %s", strerror(-error));
	else
		guest = find_guest(&question);
	if (guest && words->given & WORD_JSON)
		print_json(&scene, guest);
	for (size_t i = 0; guest && !(words->given & WORD_JSON) && i < guest->address_count; i++) {
		char text[SCENE_ADDRESS_TEXT];

		scene_address_text(&guest->addresses[i], text);
		if (!is_claim(&guest->addresses[i]))
			puts(text);
	}
	scene_forget(&scene);
	return guest ? STATUS_DONE : STATUS_FAILED;
}

int command_ip(int count, char **words)
{
	struct link *link = NULL;
	struct words parsed;
	int status, error;

	if (!words_parse(&parsed, "ip", WORD_JSON, 1, count, words))
		return STATUS_USAGE;
	if (parsed.name_count == 0) {
		say_error("'ip' lacks the guest's name, hardware address, tap or network; see: tapgate help ip");
		return STATUS_USAGE;
	}
	error = link_open(&link);
	if (error) {
		say_error("cannot open a netlink socket: %s", strerror(-error));
		return STATUS_FAILED;
	}
	status = answer(link, &parsed);
	link_close(link);
	return status;
}
