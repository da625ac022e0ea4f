/*
 * Whose name is whose: what a network's guests called themselves to its dnsmasq, and who was first. tapgate-lease
 * writes it down, as dnsmasq's user (lease/main.c); `tapgate` shows it.
 *
 * The file is one that dnsmasq itself reads (dnsmasq(8), --dhcp-hostsfile): a line for each record is a comment to it;
 * behind one that is pinned comes a line that makes the name its holder's and nobody else's. Much in it are guests'
 * words: all is checked when it is read, and what is shown is escaped.
 */
#ifndef CLI_NETWORKS_NAMES_H
#define CLI_NETWORKS_NAMES_H

#include <stdbool.h>
#include <stddef.h>

#include "cli/networks/dnsmasq_words.h"
#include "policy/mac.h"

enum {
	NAMES_MAX = 16384,    /* records; twice as many as there are leases */
	NAMES_LABEL_MAX = 63, /* bytes of a name (RFC 1123) */
};

enum name_kind {
	NAME_HELD,    /* its first guest's */
	NAME_PINNED,  /* likewise, and somebody else asked for it since */
	NAME_REFUSED, /* asked for, and not given */
};

struct name_record {
	enum name_kind kind;
	unsigned char mac[MAC_BYTES];
	unsigned int port; /* index of the tap that the guest was behind; 0: not known */
	char address[16];  /* of its lease, IPv4 as text */
	char name[NAMES_LABEL_MAX + 1];
};

struct names {
	struct name_record *records;
	size_t count;
};

/*
 * Read those of a network; none if there is no such file, or it is none that can be believed. False: memory ran out.
 * Writing replaces the file; false and errno.
 */
bool names_read(const char *network, struct names *names);
bool names_write(const char *network, const struct names *names);
void names_forget(struct names *names);

/* A new record at the end; NULL: there are too many, or memory ran out. And one less; the others keep their order. */
struct name_record *names_add(struct names *names);
void names_remove(struct names *names, size_t index);

/* Whether a word can be a host's name (RFC 1123, 2.1), without a dot. */
bool names_is_label(struct word word);

#endif
