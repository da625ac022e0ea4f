/*
 * What the dnsmasq of a network is told: its command line. A pure function of what is passed in; nothing here looks at
 * the system.
 */
#ifndef CLI_NETWORKS_DNSMASQ_WORDS_H
#define CLI_NETWORKS_DNSMASQ_WORDS_H

#include "policy/policy.h"

#define DNSMASQ_DIRECTORY "/run/tapgate"

enum {
	DNSMASQ_WORDS_MAX = 64,
	DNSMASQ_DOMAIN_MAX = NAME_MAX_BYTES + sizeof(".internal"),
};

/* What dnsmasq is started as. Not root: dnsmasq would stay root then. */
struct dnsmasq_account {
	char user[64], group[64];
};

struct dnsmasq_words {
	char text[4096]; /* each with its NUL, one behind the other, as in /proc/PID/cmdline (proc(5)) */
	size_t size;
	char *argv[DNSMASQ_WORDS_MAX + 1]; /* into text; NULL behind the last */
};

/*
 * The words for a network, `program` as the first. `index` is the bridge's: the words are others when the bridge was
 * made anew, as sockets bound to the old one stay bound to it (SO_BINDTODEVICE, socket(7)). False if they do not fit.
 */
bool dnsmasq_words(struct dnsmasq_words *words, const char *program, const struct dnsmasq_account *account,
	const struct policy_network *network, unsigned int index);

/*
 * Words as one text: each with its NUL, and an empty one behind the last. NULL when memory ran out; to be freed. And
 * back: false if there are too many.
 */
char *dnsmasq_words_copy(const struct dnsmasq_words *words);
bool dnsmasq_words_from(struct dnsmasq_words *words, const char *copy);

/* Find where each begins, in `size` bytes of text. False if there is none, or too many, or the last has no end. */
bool dnsmasq_words_cut(struct dnsmasq_words *words);

/* The word that names the pid file, by which a process is known to be a network's; its length as of snprintf(3). */
int dnsmasq_pid_word(const char *name, char *buffer, size_t size);

/*
 * The domain of a network's guests: NAME.internal (the top-level domain for private use), in lower case, with '-' for
 * what cannot stand in a host name (RFC 1123, section 2.1) and none at either end.
 */
void dnsmasq_domain(const char *name, char domain[static DNSMASQ_DOMAIN_MAX]);

#endif
