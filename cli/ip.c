// SPDX-License-Identifier: MIT
/* `tapgate ip`: the addresses of a guest, and nothing else on standard output. */
#include "cli/commands.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "cli/list/list.h"
#include "dhcp/dhcp.h"
#include "taps/taps.h"
#include "tool/tool.h"

/*
 * What kind of word it is. A host name is tried last, because guests choose their names: a guest that calls itself as a
 * tap or a network must not be taken for it.
 */
enum meaning { TAP, NETWORK, MAC, HOST_NAME, NOTHING };

struct question {
	const char *word;
	enum meaning meaning;
	unsigned char mac[MAC_BYTES];
	const struct scene *scene;
	bool one_card; /* only a guest of one card is an answer */
	int rank;      /* of the answer: rank_of */
};

/* A host name, bare or in its network's domain; a dot at the end says that it is whole (RFC 1034, 3.1). */
static bool has_name(const struct scene_guest *guest, const char *word)
{
	size_t size = strlen(guest->name), left = strlen(word);
	char domain[POLICY_DOMAIN_MAX + 1];

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

/* --- which guest -------------------------------------------------------------------------------------------------- */

/*
 * A DHCPv6 client says itself whose lease it asks for. So its address counts only once the host has heard it from
 * there.
 */
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

/* Several guests fit: name them, as many as a readable line holds. */
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

/* No guest fits: say what was looked at, and what the user can do. */
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
	else
		say_error(
			"no address of %s %s is known by leases or the host's neighbours%s; one with an address of its own is known once it has spoken with the host",
			question->meaning == MAC	 ? "a guest"
			: question->meaning == HOST_NAME ? "the guest"
							 : "the guest on",
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

/*
 * Whether all of that rank are cards of one machine: the helper wrote on their taps which process of which user asked
 * for them.
 */
static bool is_one_machine(const struct question *question, int rank)
{
	const struct scene_tap *first = NULL;

	for (size_t i = 0; i < question->scene->guest_count; i++) {
		const struct scene_guest *guest = &question->scene->guests[i];
		const struct scene_tap *tap = guest->tap ? scene_tap_at(question->scene, guest->tap) : NULL;

		if (rank_of(question, guest) != rank)
			continue;
		first = first ? first : tap;
		if (!tap || !tap->alias.vmm || tap->alias.vmm != first->alias.vmm || tap->alias.uid != first->alias.uid)
			return false;
	}
	return first;
}

/* Who asks for a name asks for those of `guest` lines, too. */
static void look_up(struct question *question, struct scene *scene, struct scene_privacy *privacy)
{
	question->meaning = meaning_of(question);
	if (question->meaning != HOST_NAME && question->meaning != NOTHING)
		return;
	if (!privacy->is_read)
		privacy->policy = load_policy(NULL);
	privacy->is_read = true;
	scene_add_lines(scene, privacy->policy);
	question->meaning = meaning_of(question);
}

/* The one guest that is meant, the first of its cards; NULL: said why there is none. */
static const struct scene_guest *find_guest(struct question *question)
{
	const struct scene_guest *found = NULL;
	unsigned int count = 0;
	int best = 1;

	for (size_t i = 0; i < question->scene->guest_count; i++) {
		int rank = rank_of(question, &question->scene->guests[i]);

		if (rank < best)
			continue;
		count = rank > best ? 1 : count + 1;
		best = rank;
		found = &question->scene->guests[i];
	}
	question->rank = best;
	if (count == 1 || (count > 1 && !question->one_card && is_one_machine(question, best)))
		return judge(question, found) ? found : NULL;
	if (count == 0)
		say_unknown(question);
	else
		say_ambiguous(question, best, count);
	return NULL;
}

/* --- the answer --------------------------------------------------------------------------------------------------- */

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

static void print_addresses(const struct scene_guest *guest)
{
	for (size_t i = 0; i < guest->address_count; i++) {
		char text[SCENE_ADDRESS_TEXT];

		scene_address_text(&guest->addresses[i], text);
		if (!is_claim(&guest->addresses[i]))
			puts(text);
	}
}

static int answer(struct link *link, const struct words *words)
{
	struct scene scene = {.taps = NULL};
	struct question question = {.word = words->names[0], .scene = &scene, .one_card = words->given & WORD_JSON};
	int error = scene_look(link, false, &scene);
	const struct scene_guest *guest = NULL;
	struct scene_privacy privacy = {.is_read = false};

	if (error)
		say_error("cannot read the host's taps and neighbours: %s", strerror(-error));
	else
		scene_keep_shown(&scene, &privacy);
	if (!error)
		look_up(&question, &scene, &privacy);
	policy_free(privacy.policy);
	if (!error)
		guest = find_guest(&question);
	if (guest && words->given & WORD_JSON)
		print_json(&scene, guest);
	for (size_t i = 0; guest && !(words->given & WORD_JSON) && i < scene.guest_count; i++) {
		if (rank_of(&question, &scene.guests[i]) == question.rank)
			print_addresses(&scene.guests[i]);
	}
	scene_forget(&scene);
	return guest ? STATUS_DONE : STATUS_FAILED;
}

int command_ip(const struct words *words)
{
	struct link *link = NULL;
	int status, error;

	if (words->name_count == 0) {
		say_error("'ip' lacks the guest's name, hardware address, tap or network; see: tapgate help ip");
		return STATUS_USAGE;
	}
	error = link_open(&link);
	if (error) {
		say_no_netlink(error);
		return STATUS_FAILED;
	}
	status = answer(link, words);
	link_close(link);
	return status;
}
