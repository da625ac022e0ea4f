// SPDX-License-Identifier: MIT
/*
 * `guest` and `forward` lines: machines with a name and addresses of their own, ports of the host that lead to them.
 * They speak of networks and of one another, wherever those are described, and are read when all else is known.
 */
#include "policy/internal.h"

#include <arpa/inet.h>
#include <string.h>
#include <strings.h>

enum {
	DHCP6_BITS = 64, /* dnsmasq knows no larger subnet: of such a one it serves the /64 that the host is in */
};

/* --- their form, which is all that the helper looks at ------------------------------------------------------------ */

static bool take_three(struct line *line, bool forward, struct word words[static 3])
{
	static const char *const what[2][3] = {{"name", "'on'", "network"}, {"port", "'to'", "guest"}};

	for (size_t i = 0; i < 3; i++) {
		if (!line_word(line, &words[i]) || (i == 1 && !word_is(words[i], forward ? "to" : "on")))
			return line_refuse(line, words[i].at, "no %s, expected one as in '%s'", what[forward][i],
				forward ? "forward 8022/tcp to box:22" : "guest box on lab ip=172.16.2.20");
	}
	return true;
}

/* "on ADDRESS", "for NETWORK"; NULL where there is none. */
static bool take_where(struct line *line, struct word *on, struct word *network)
{
	struct word key;

	*on = *network = (struct word){NULL, 0};
	while (line_word(line, &key)) {
		const bool is_on = word_is(key, "on");
		struct word *value = is_on ? on : network;

		if (!is_on && !word_is(key, "for"))
			return line_refuse(line, key.at,
				"unknown word %s on a forward, expected 'on ADDRESS' or 'for NETWORK'", QUOTED(key));
		if (value->size)
			return line_refuse(
				line, key.at, "'%s' for the second time, expected it once", is_on ? "on" : "for");
		if (!line_word(line, value))
			return line_refuse(line, value->at, "no %s behind '%s', expected one",
				is_on ? "address" : "network", is_on ? "on" : "for");
	}
	return true;
}

bool check_form(struct line *line, bool forward)
{
	struct policy_options options = {0};
	struct word words[3], word, value;

	if (!take_three(line, forward, words))
		return false;
	if (forward)
		return take_where(line, &word, &value);
	while (line_word(line, &word)) {
		if (!parse_option(line, word, ON_GUEST, &options, &value))
			return false;
	}
	return true;
}

bool keep_for_later(const struct line *line, bool forward)
{
	struct later *later = ADD(line->policy, later);

	if (!later)
		return false;
	*later = (struct later){.at = (uint32_t)(line->start - line->policy->files[line->file].text),
		.size = (uint32_t)(line->end - line->start),
		.line = line->number,
		.file = line->file,
		.forward = forward};
	return true;
}

/* A host's name (RFC 1123, 2.1), without a dot; none of those that programs ask for by themselves (dhcp/words.c). */
static bool is_label(struct word word)
{
	static const char *const refused[] = {"wpad", "isatap", "localhost"};

	if (word.size < 1 || word.size > POLICY_LABEL_MAX || *word.at == '-' || word.at[word.size - 1] == '-')
		return false;
	for (size_t i = 0; i < word.size; i++) {
		if (!is_alnum(word.at[i]) && word.at[i] != '-')
			return false;
	}
	for (size_t i = 0; i < sizeof(refused) / sizeof(*refused); i++) {
		if (word.size == strlen(refused[i]) && strncasecmp(word.at, refused[i], word.size) == 0)
			return false;
	}
	return true;
}

static bool has_name(const struct policy_guest *guest, struct word name)
{
	return strlen(guest->name) == name.size && strncasecmp(guest->name, name.at, name.size) == 0;
}

/* --- guests ------------------------------------------------------------------------------------------------------- */

/* The network of a line. NULL and *hidden: it may be described in a file that the caller may not read. */
static const struct policy_network *network_of(const struct line *line, struct word word, bool *hidden)
{
	const struct policy_network *network = find_network(line->policy, word);

	*hidden = !network && line->policy->hidden;
	if (!network && !*hidden)
		line_refuse(line, word.at, "unknown network %s, expected one that a 'network' line describes",
			QUOTED(word));
	return network;
}

/* Why an address cannot be a guest's, as a phrase; NULL if it can. */
static const char *address_problem(
	const struct policy_subnet *subnet, const unsigned char *address, unsigned int bits, bool served)
{
	const unsigned int prefix = bits == 128 && served && subnet->prefix < DHCP6_BITS ? DHCP6_BITS : subnet->prefix;
	struct policy_subnet guest = *subnet;

	memcpy(guest.address, address, bits / 8);
	if (!subnet->given || !policy_prefixes_overlap(subnet->address, prefix, address, prefix))
		return "is not in the network's subnet, expected one that is";
	if (memcmp(subnet->address, address, bits / 8) == 0)
		return "is the host's own, expected another one";
	if (prefix < bits - 1 &&
		(subnet_host_bits_are(&guest, bits, false) || (bits == 32 && subnet_host_bits_are(&guest, bits, true))))
		return bits == 32 ? "is the subnet's own or its broadcast, expected a guest's"
				  : "is the subnet's own, expected a guest's";
	return NULL;
}

static bool parse_guest_address(const struct line *line, struct policy_guest *guest,
	const struct policy_network *network, struct word value, bool ipv6)
{
	unsigned char *address = ipv6 ? guest->ipv6 : guest->ipv4;
	const bool served = policy_serves(network, ipv6);
	const char *problem;

	if (network->automatic)
		return line_refuse(line, value.at,
			"an address on a network whose subnet is chosen ('auto'), expected 'mac=' alone, or a network with an address");
	if (policy_pool_size(network))
		return line_refuse(line, value.at,
			"an address on a pool, where a machine has the first subnet that is free, expected 'mac=' alone, or a network without 'per-vm='");
	if (!word_address(ipv6 ? AF_INET6 : AF_INET, value, address))
		return line_refuse(line, value.at, "%s is no IPv%c address, expected one as in %s", QUOTED(value),
			ipv6 ? '6' : '4', ipv6 ? "fd00:2::20" : "172.16.2.20");
	problem = ipv6 ? address_problem(&network->ipv6, address, 128, served)
		       : address_problem(&network->ipv4, address, 32, served);
	return !problem || line_refuse(line, value.at, "address %s %s", QUOTED(value), problem);
}

/* What two guests of one network have in common that they may not, as a word of their lines; NULL if nothing. */
static const char *clash(const struct policy_guest *a, const struct policy_guest *b)
{
	const uint32_t both = a->options.given & b->options.given;

	if (a->network != b->network)
		return NULL;
	if ((both & OPTION_MAC) && memcmp(a->options.mac, b->options.mac, MAC_BYTES) == 0)
		return "mac=";
	if ((both & OPTION_IP) && memcmp(a->ipv4, b->ipv4, sizeof(a->ipv4)) == 0)
		return "ip=";
	if ((both & OPTION_IP6) && memcmp(a->ipv6, b->ipv6, sizeof(a->ipv6)) == 0)
		return "ip6=";
	return strcasecmp(a->name, b->name) == 0 ? "name" : NULL;
}

/* The word of a line that begins so; where there is none, the guest's name. */
static const char *find_word(struct line line, const char *begins)
{
	struct word word, name;

	line.at = line.start;
	line_word(&line, &word);
	line_word(&line, &name);
	while (line_word(&line, &word)) {
		if (word_begins(word, begins))
			return word.at;
	}
	return name.at;
}

static bool check_guest(const struct line *line, const struct policy_guest *guest)
{
	const uint32_t given = guest->options.given;
	const bool served = ((given & OPTION_IP) && policy_serves(guest->network, false)) ||
			    ((given & OPTION_IP6) && policy_serves(guest->network, true));
	size_t beside = 0;

	if (!given)
		return line_refuse(
			line, line->at, "a guest without anything of its own, expected 'mac=', 'ip=' or 'ip6='");
	if (served && !(given & OPTION_MAC))
		return line_refuse(line, find_word(*line, "ip"),
			"an address without 'mac=' on a network with 'dhcp=', expected both: it is by the hardware address that DHCP knows a guest");
	for (const struct policy_guest *other = line->policy->guests; other < guest; other++) {
		const char *what = clash(guest, other);

		beside += other->network == guest->network;
		if (what)
			return line_refuse(line, find_word(*line, what),
				"guest '%s' has the %s of guest '%s' (%s), expected its own", guest->name,
				strcmp(what, "name") == 0 ? "name" : "address", other->name,
				PLACE(other->file, other->line));
	}
	return beside < POLICY_GUESTS_MAX ||
	       line_refuse(line, line->start, "more than %d guests on one network", POLICY_GUESTS_MAX);
}

static bool parse_guest_options(struct line *line, struct policy_guest *guest)
{
	struct word word, value;

	while (line_word(line, &word)) {
		const uint32_t option = parse_option(line, word, ON_GUEST, &guest->options, &value);

		if (!option || ((option & (OPTION_IP | OPTION_IP6)) &&
				       !parse_guest_address(line, guest, guest->network, value, option == OPTION_IP6)))
			return false;
	}
	if (!check_guest(line, guest))
		return false;
	choose_address(line->policy, guest);
	return true;
}

/* guest NAME on NETWORK OPTION... */
static bool parse_guest(struct line *line)
{
	const struct policy_network *network;
	struct policy_guest *guest;
	struct word words[3];
	bool hidden;

	take_three(line, false, words); /* as it did before */
	if (!is_label(words[0]))
		return line_refuse(line, words[0].at, "guest %s, expected letters, digits and '-', at most %d",
			QUOTED(words[0]), POLICY_LABEL_MAX);
	network = network_of(line, words[2], &hidden);
	if (!network)
		return hidden;
	if (!(WITH_ADDRESSES & 1U << network->mode))
		return line_refuse(line, words[2].at,
			"a guest on %s, expected a network on which guests have addresses of their own",
			place_words((enum policy_place)(1 << network->mode)));
	if (line->policy->count.guests == POLICY_GUESTS_ALL)
		return line_refuse(line, line->start, "more than %d guests", POLICY_GUESTS_ALL);
	guest = ADD(line->policy, guest);
	if (!guest)
		return false;
	memcpy(guest->name, words[0].at, words[0].size);
	guest->network = network;
	guest->file = line->policy->paths[line->file];
	guest->line = line->number;
	return parse_guest_options(line, guest);
}

/* --- forwards ----------------------------------------------------------------------------------------------------- */

static bool parse_port(struct word word, uint32_t *port)
{
	return word_number(word, UINT16_MAX, port) && *port > 0;
}

/* PORT[-PORT]/tcp|udp */
static bool parse_ports(const struct line *line, struct word word, struct policy_forward *forward)
{
	struct word rest = word, ports, first;

	word_cut(&rest, '/', &ports);
	if (!rest.at || (!word_is(rest, "tcp") && !word_is(rest, "udp")))
		return line_refuse(line, word.at,
			"%s, expected a port and its protocol as in 8022/tcp or 6000-6010/udp", QUOTED(word));
	forward->udp = word_is(rest, "udp");
	rest = ports;
	word_cut(&rest, '-', &first);
	if (!parse_port(first, &forward->first) || (rest.at && !parse_port(rest, &forward->last)))
		return line_refuse(line, word.at, "port %s, expected numbers from 1 to 65535", QUOTED(ports));
	if (!rest.at)
		forward->last = forward->first;
	return forward->first <= forward->last ||
	       line_refuse(line, word.at, "the range of ports ends before it begins, expected the lower port first");
}

/* GUEST[:PORT]; the name is left in *name. */
static bool parse_target(const struct line *line, struct word word, struct policy_forward *forward, struct word *name)
{
	unsigned char unused[16];
	struct word port = word;

	if (word_address(AF_INET6, word, unused))
		return line_refuse(
			line, word.at, "an address, expected the name of a guest, whose 'guest' line has 'ip6='");
	word_cut(&port, ':', name);
	if (word_address(AF_INET, *name, unused))
		return line_refuse(
			line, word.at, "an address, expected the name of a guest, whose 'guest' line has 'ip='");
	if (!is_label(*name))
		return line_refuse(line, word.at, "guest %s, expected the name of a guest", QUOTED(*name));
	if (!port.at)
		return true;
	if (forward->first != forward->last)
		return line_refuse(line, port.at,
			"a port behind the guest's name, expected none with a range: a guest has the same ports");
	return parse_port(port, &forward->to) ||
	       line_refuse(line, port.at, "port %s, expected a number from 1 to 65535", QUOTED(port));
}

/* The address that it is on; {NULL, 0}: all. */
static bool parse_on(const struct line *line, struct policy_forward *forward, struct word on)
{
	if (!on.size)
		return true;
	forward->on_family = word_address(AF_INET, on, forward->on)    ? AF_INET
			     : word_address(AF_INET6, on, forward->on) ? AF_INET6
								       : 0;
	if (!forward->on_family)
		return line_refuse(line, on.at, "address %s, expected an address of the host's", QUOTED(on));
	if (forward->on_family == AF_INET ? forward->on[0] == 127
					  : memcmp(forward->on, &in6addr_loopback, sizeof(in6addr_loopback)) == 0)
		return line_refuse(line, on.at,
			"a forward on a loopback address, expected another one of the host's: the kernel takes no such connection beyond the host");
	return true;
}

/* The one guest that is meant; NULL and *hidden: it may be described in a file that the caller may not read. */
static const struct policy_guest *find_guest(
	const struct line *line, struct word name, const struct policy_network *network, bool *hidden)
{
	const struct policy_guest *found = NULL;

	*hidden = false;
	for (size_t i = 0; i < line->policy->count.guests; i++) {
		const struct policy_guest *guest = &line->policy->guests[i];

		if (!has_name(guest, name) || (network && guest->network != network))
			continue;
		if (found) {
			line_refuse(line, name.at, "guest %s is on '%s' and on '%s', expected 'for NETWORK' behind it",
				QUOTED(name), found->network->name, guest->network->name);
			return NULL;
		}
		found = guest;
	}
	*hidden = !found && line->policy->hidden;
	if (!found && !*hidden)
		line_refuse(line, name.at, "unknown guest %s%s%s, expected one that a 'guest' line describes",
			QUOTED(name), network ? " on " : "", network ? network->name : "");
	return found;
}

/* The families in which it leads anywhere. */
static bool settle_families(const struct line *line, struct policy_forward *forward, struct word name)
{
	const uint32_t given = forward->guest->options.given;

	forward->ipv4 = (given & OPTION_IP) && forward->on_family != AF_INET6;
	forward->ipv6 = (given & OPTION_IP6) && forward->on_family != AF_INET;
	if (policy_pool_size(forward->guest->network))
		return line_refuse(line, name.at,
			"a forward to a guest on a pool, where a machine has the first subnet that is free, expected one on a network without 'per-vm='");
	if (!forward->ipv4 && !forward->ipv6 && forward->guest->network->automatic)
		return line_refuse(line, name.at,
			"guest %s has no address of its own that is forwarded to, expected %s: its network's subnet is chosen",
			QUOTED(name), given & OPTION_IP ? "an IPv4 address behind 'on'" : "'dhcp=auto' on the network");
	return forward->ipv4 || forward->ipv6 ||
	       line_refuse(line, name.at, "guest %s has no %s, expected %s on its line (%s)", QUOTED(name),
		       forward->on_family == AF_INET6  ? "IPv6 address"
		       : forward->on_family == AF_INET ? "IPv4 address"
						       : "address",
		       forward->on_family == AF_INET6  ? "'ip6='"
		       : forward->on_family == AF_INET ? "'ip='"
						       : "'ip=' or 'ip6='",
		       PLACE(forward->guest->file, forward->guest->line));
}

static bool collide(const struct policy_forward *a, const struct policy_forward *b)
{
	const bool both = (a->ipv4 && b->ipv4) || (a->ipv6 && b->ipv6);

	return both && a->udp == b->udp && a->first <= b->last && b->first <= a->last &&
	       (!a->on_family || !b->on_family || memcmp(a->on, b->on, sizeof(a->on)) == 0);
}

static bool check_forward(const struct line *line, const struct policy_forward *forward, struct word ports)
{
	for (const struct policy_forward *other = line->policy->forwards; other < forward; other++) {
		if (collide(forward, other))
			return line_refuse(line, ports.at, "port %s is forwarded already (%s), expected another one",
				QUOTED(ports), PLACE(other->file, other->line));
	}
	return true;
}

/* forward PORT[-PORT]/tcp|udp to GUEST[:PORT] [on ADDRESS] [for NETWORK] */
static bool parse_forward(struct line *line)
{
	struct policy_forward forward = {.file = line->policy->paths[line->file], .line = line->number}, *kept;
	struct word words[3], on, network_word, name = {"", 0};
	const struct policy_network *network = NULL;
	bool hidden = false;

	take_three(line, true, words); /* as they did before */
	take_where(line, &on, &network_word);
	if (!parse_ports(line, words[0], &forward) || !parse_target(line, words[2], &forward, &name) ||
		!parse_on(line, &forward, on))
		return false;
	if (network_word.size) {
		network = network_of(line, network_word, &hidden);
		if (!network)
			return hidden;
	}
	forward.guest = find_guest(line, name, network, &hidden);
	if (!forward.guest)
		return hidden;
	if (!settle_families(line, &forward, name))
		return false;
	if (line->policy->count.forwards == POLICY_FORWARDS_MAX)
		return line_refuse(line, line->start, "more than %d forwards", POLICY_FORWARDS_MAX);
	kept = ADD(line->policy, forward);
	if (!kept)
		return false;
	*kept = forward;
	return check_forward(line, kept, words[0]);
}

/* --- all of them -------------------------------------------------------------------------------------------------- */

static bool parse_later(struct policy *policy, struct policy_error *error, bool forward)
{
	for (size_t i = 0; i < policy->count.laters; i++) {
		const struct later *later = &policy->laters[i];
		const char *start = policy->files[later->file].text + later->at;
		struct line line = {
			.policy = policy, .error = error, .start = start, .at = start, .end = start + later->size};
		struct word verb;

		if (later->forward != forward)
			continue;
		line.file = later->file;
		line.number = later->line;
		line_word(&line, &verb);
		if (!(forward ? parse_forward(&line) : parse_guest(&line)))
			return false;
	}
	return true;
}

bool parse_guests(struct policy *policy, struct policy_error *error)
{
	for (size_t i = 0; i < policy->count.networks; i++)
		policy->networks[i].policy = policy;
	return parse_later(policy, error, false) && parse_later(policy, error, true) && check_routers(policy, error);
}

const struct policy_guest *policy_next_guest(const struct policy_network *network, const struct policy_guest *before)
{
	const struct policy *policy = network->policy;

	for (size_t i = before ? (size_t)(before - policy->guests) + 1 : 0; policy && i < policy->count.guests; i++) {
		if (policy->guests[i].network == network)
			return &policy->guests[i];
	}
	return NULL;
}

const struct policy_forward *policy_next_forward(
	const struct policy_network *network, const struct policy_forward *before)
{
	const struct policy *policy = network->policy;

	for (size_t i = before ? (size_t)(before - policy->forwards) + 1 : 0; policy && i < policy->count.forwards;
		i++) {
		if (policy->forwards[i].guest->network == network)
			return &policy->forwards[i];
	}
	return NULL;
}
