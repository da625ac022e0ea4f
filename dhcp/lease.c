// SPDX-License-Identifier: MIT
/*
 * tapgate-dhcp as a network's dnsmasq runs it, as its own user, for each lease that begins, changes, is renewed or ends
 * (dnsmasq(8), --dhcp-script): keeps host names with the guests that had them first.
 *
 *	NETWORK.lease add|old|del MAC ADDRESS [NAME]
 *
 * dnsmasq gives a name to whoever asked for it last. So it is written down here who had it first
 * (dhcp/leases.c), and when another guest takes a name whose first one is still there, behind its tap, the name
 * is pinned to that one: dnsmasq reads it, gives it back within milliseconds, and does not give it away again. A guest
 * whose tap is gone has no name to lose: a machine that was made anew has it at once.
 *
 * Arguments and environment are guests' words, as far as dnsmasq lets them through. It must not wait for anybody:
 * dnsmasq runs one at a time.
 */
#include <net/if.h> /* before the kernel's, which give way to it (linux/libc-compat.h) */

#include "dhcp/dhcp.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <syslog.h>
#include <unistd.h>

#include "link/link.h"
#include "tool/tool.h"

struct event {
	char network[NAME_MAX_BYTES + 1];
	bool ends, given; /* given: dnsmasq let the guest have the name */
	unsigned char mac[MAC_BYTES];
	char address[sizeof(((struct name_record *)NULL)->address)];
	char name[NAMES_LABEL_MAX + 1]; /* empty: it has none */
};

/* What came of it. */
struct outcome {
	bool changed, pinned;
};

/* --- who is where ------------------------------------------------------------------------------------------------- */

struct search {
	const unsigned char *mac;
	int port;
};

static void see_entry(void *context, const struct fdb_entry *entry)
{
	struct search *search = context;

	if (!entry->own && memcmp(entry->mac, search->mac, MAC_BYTES) == 0)
		search->port = entry->index;
}

/* Index of the tap that an address is behind; 0: the bridge does not know. */
static unsigned int find_port(const char *network, const unsigned char *mac)
{
	struct search search = {.mac = mac};
	unsigned int bridge = if_nametoindex(network);
	struct link *link;

	if (bridge == 0 || link_open(&link) != 0)
		return 0;
	if (fdb_each(link, (int)bridge, see_entry, &search) != 0)
		search.port = 0;
	link_close(link);
	return (unsigned int)search.port;
}

/* Whether a guest is there: its tap is, or it has come back behind another one. */
static bool is_there(const char *network, const struct name_record *guest)
{
	char name[IFNAMSIZ];

	return (guest->port && if_indextoname(guest->port, name)) || find_port(network, guest->mac);
}

/* --- who has what ------------------------------------------------------------------------------------------------- */

/* Forget what a guest has or asked for. */
static void drop(const struct event *event, struct names *names, struct outcome *outcome)
{
	for (size_t i = names->count; i-- > 0;) {
		if (memcmp(names->records[i].mac, event->mac, MAC_BYTES) != 0 ||
			(event->ends && strcmp(names->records[i].address, event->address) != 0))
			continue;
		outcome->changed = true;
		outcome->pinned |= names->records[i].kind == NAME_PINNED;
		names_remove(names, i);
	}
}

static void record(const struct event *event, struct names *names, enum name_kind kind)
{
	struct name_record *new = names_add(names);

	if (!new)
		return;
	new->kind = kind;
	new->port = find_port(event->network, event->mac);
	memcpy(new->mac, event->mac, MAC_BYTES);
	memcpy(new->address, event->address, sizeof(new->address));
	memcpy(new->name, event->name, sizeof(new->name));
}

/* The guest that has a name, if it is another one. */
static struct name_record *find_holder(const struct event *event, const struct names *names)
{
	for (size_t i = 0; i < names->count; i++) {
		struct name_record *other = &names->records[i];

		if (other->kind != NAME_REFUSED && strcasecmp(other->name, event->name) == 0 &&
			memcmp(other->mac, event->mac, MAC_BYTES) != 0)
			return other;
	}
	return NULL;
}

/* What a guest had before, the way it stands in the file; NULL: nothing. */
static struct name_record *find_own(const struct event *event, const struct names *names)
{
	for (size_t i = 0; i < names->count; i++) {
		if (memcmp(names->records[i].mac, event->mac, MAC_BYTES) == 0)
			return &names->records[i];
	}
	return NULL;
}

static void refuse(const struct event *event, struct names *names, struct name_record *holder, struct outcome *outcome)
{
	const struct name_record *own = find_own(event, names);
	char mac[MAC_TEXT], holders[MAC_TEXT];
	bool known = own && own->kind == NAME_REFUSED && strcasecmp(own->name, event->name) == 0;

	/*
	 * Once is enough: what is pinned no other guest is given, and dnsmasq calls for every lease when it is told.
	 * What dnsmasq gives nobody else by itself, as the name of a guest that the policy has a line for, is not
	 * pinned: a pin goes before what it was told of that guest.
	 */
	if (holder->kind == NAME_HELD && event->given) {
		outcome->changed = outcome->pinned = true;
		holder->kind = NAME_PINNED;
	}
	if (known)
		return;
	mac_text(event->mac, mac);
	mac_text(holder->mac, holders);
	syslog(LOG_WARNING, "network '%s': %s asks for the name '%s', which is that of %s, and does not get it",
		event->network, mac, event->name, holders);
	drop(event, names, outcome);
	record(event, names, NAME_REFUSED);
	outcome->changed = true;
}

/*
 * The guest has its name, as before. It may be behind another tap by now; but while the one that it was behind is still
 * there, somebody else may use its hardware address.
 */
static void keep(const struct event *event, struct name_record *own, struct outcome *outcome)
{
	char name[IFNAMSIZ];
	bool stays = own->port && if_indextoname(own->port, name);
	unsigned int port = stays ? 0 : find_port(event->network, event->mac);

	outcome->changed = port || strcmp(own->address, event->address) != 0;
	own->port = port ? port : own->port;
	memcpy(own->address, event->address, sizeof(own->address));
}

static void take(const struct event *event, struct names *names, struct outcome *outcome)
{
	struct name_record *holder = find_holder(event, names), *own = find_own(event, names);
	bool pinned = holder && holder->kind == NAME_PINNED;

	if (holder && is_there(event->network, holder)) {
		refuse(event, names, holder, outcome);
		return;
	}
	if (!holder && own && own->kind != NAME_REFUSED && strcasecmp(own->name, event->name) == 0) {
		keep(event, own, outcome);
		return;
	}
	if (!event->given && !pinned)
		return; /* a name that nobody may have */
	/* From a guest that has gone: what was pinned has to be pinned again, to this one. */
	if (holder)
		names_remove(names, (size_t)(holder - names->records));
	drop(event, names, outcome);
	record(event, names, pinned ? NAME_PINNED : NAME_HELD);
	outcome->changed = true;
	outcome->pinned |= pinned;
}

/* --- the call ----------------------------------------------------------------------------------------------------- */

/* The name as a label, in lower case; what is behind a dot is a domain. */
static void read_name(const char *text, struct event *event)
{
	struct word word = {text, strcspn(text, ".")};

	if (!names_is_label(word))
		return;
	for (size_t i = 0; i < word.size; i++)
		event->name[i] = (char)(text[i] >= 'A' && text[i] <= 'Z' ? text[i] | 0x20 : text[i]);
}

/* False: none that it is made for, as of IPv6, whose guests have no names of their own. */
static bool read_event(int argc, char **argv, struct event *event)
{
	const char *base = argc > 0 ? strrchr(argv[0], '/') : NULL, *end, *asked = getenv("DNSMASQ_SUPPLIED_HOSTNAME");
	struct word network;

	base = base ? base + 1 : argc > 0 ? argv[0] : "";
	end = strrchr(base, '.');
	network = (struct word){base, end ? (size_t)(end - base) : 0};
	if (argc < 4 || !end || strcmp(end, ".lease") != 0 || word_name_problem(network) ||
		!mac_read((struct word){argv[2], strlen(argv[2])}, event->mac) ||
		strlen(argv[3]) >= sizeof(event->address))
		return false;
	memcpy(event->network, network.at, network.size);
	memcpy(event->address, argv[3], strlen(argv[3]));
	event->ends = strcmp(argv[1], "del") == 0;
	event->given = argc > 4;
	if (event->given || asked)
		read_name(event->given ? argv[4] : asked, event);
	return event->ends || strcmp(argv[1], "add") == 0 || strcmp(argv[1], "old") == 0;
}

/* Have dnsmasq read what is pinned. Only one of the same user can be signalled. */
static void tell_dnsmasq(const char *network)
{
	char path[64], text[16] = "";
	uint32_t pid = 0;

	snprintf(path, sizeof(path), DNSMASQ_DIRECTORY "/%s.pid", network);
	if (file_read(AT_FDCWD, path, text, sizeof(text)) > 0 &&
		word_number((struct word){text, strcspn(text, "\n")}, INT32_MAX, &pid) && pid > 1)
		kill((pid_t)pid, SIGHUP);
}

int lease_main(int argc, char **argv)
{
	struct event event = {.ends = false};
	struct outcome outcome = {.changed = false};
	struct names names;

	if (!read_event(argc, argv, &event))
		return 0;
	openlog("tapgate", 0, LOG_DAEMON);
	if (!names_read(event.network, &names))
		return 1;
	if (event.ends)
		drop(&event, &names, &outcome);
	else if (event.name[0])
		take(&event, &names, &outcome);
	if (outcome.changed && !names_write(event.network, &names)) {
		syslog(LOG_ERR, "network '%s': cannot write " DNSMASQ_DIRECTORY "/%s.names/names: %m", event.network,
			event.network);
		outcome.pinned = false;
	}
	if (outcome.pinned)
		tell_dnsmasq(event.network);
	names_forget(&names);
	return 0;
}
