// SPDX-License-Identifier: MIT
/* What the files of policy/ share with one another, and with nobody else. */
#ifndef POLICY_INTERNAL_H
#define POLICY_INTERNAL_H

#include "policy/policy.h"
#include "policy/text.h"

enum {
	MTU_IPV6 = 1280, /* the least of a link with IPv6 (RFC 8200): Linux has no IPv6 on an interface below it */
};

/* A user or group that a rule names. Small, as rules are. */
struct account {
	uint32_t number;
	uint16_t at, size; /* of a name: where it begins in the rule's words, and its bytes; size 0: it is a number */
};

/* An `allow` or `deny` line. Small, because there may be many: what most rules lack lies in arrays of its own. */
struct rule {
	char name[NAME_MAX_BYTES + 1]; /* the network; empty: all */
	uint32_t at;		       /* where its words begin in its file */
	uint16_t size;		       /* of its words */
	uint16_t account_count;
	uint32_t accounts; /* into policy->accounts */
	uint32_t options;  /* into policy->options; 0: none */
	uint32_t line;
	unsigned char file; /* into policy->paths */
	unsigned char who;  /* enum policy_who */
	bool allow;
};

/* A `guest` or `forward` line, to be read when all others are. */
struct later {
	uint32_t at, size; /* in its file */
	uint32_t line;
	uint16_t file; /* into policy->paths */
	bool forward;
};

/* The `include` that named a file, by the file that it stands in; line 0: none did, it is the policy itself. */
struct include {
	uint16_t file;
	uint32_t line, column;
};

struct policy {
	char *paths[POLICY_FILES_MAX];
	struct policy_file files[POLICY_FILES_MAX];
	struct include includes[POLICY_FILES_MAX];
	size_t file_count, byte_count;
	char *hidden; /* the first path that the caller may not read */

	struct rule *rules;
	struct account *accounts;
	struct policy_options *options; /* entry 0 is the empty one */
	struct policy_network *networks;
	struct policy_guest *guests;
	struct policy_forward *forwards;
	struct later *laters;
	struct sizes {
		size_t rules, accounts, options, networks, guests, forwards, laters;
	} count, room;
};

/*
 * A line being read: what is left of it, and where it stands. With number 0, what names the first file, which no line
 * does.
 */
struct line {
	const struct policy_reader *reader;
	struct policy *policy;
	struct policy_error *error;
	const struct line *include; /* that names the file, which is open around this one */
	const char *start, *at, *end;
	uint16_t file;
	unsigned int number;
};

/* The words of a rule as they stand in its file; the name in them of an account, {NULL, 0} if it is a number. */
static inline struct word rule_words(const struct policy *policy, const struct rule *rule)
{
	return (struct word){policy->files[rule->file].text + rule->at, rule->size};
}
static inline struct word rule_account(
	const struct policy *policy, const struct rule *rule, const struct account *account)
{
	return (struct word){account->size ? rule_words(policy, rule).at + account->at : NULL, account->size};
}

/* Add an element to one of a policy's arrays, all 0: a pointer to it, or NULL when memory ran out. */
#define ADD(policy, what)                                                                                              \
	__extension__({                                                                                                \
		void *array_ = array_room((policy)->what##s, (policy)->count.what##s, &(policy)->room.what##s,         \
			sizeof(*(policy)->what##s));                                                                   \
		if (array_)                                                                                            \
			(policy)->what##s = array_;                                                                    \
		array_ ? memset(&(policy)->what##s[(policy)->count.what##s++], 0, sizeof(*(policy)->what##s)) : NULL;  \
	})

/* The next word of the line; false at its end. */
bool line_word(struct line *line, struct word *word);

/* Record why a line is refused, at the byte `at`. Always false, so that parsers can return it. */
bool line_refuse(const struct line *line, const char *at, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* The name of a network, which is written to `name`. or_all: " or 'all'" where that may stand, too, else "". */
bool parse_name(const struct line *line, struct word word, const char *or_all, char name[static NAME_MAX_BYTES + 1]);

/* The network of that name that the policy has a line for; NULL if there is none. */
const struct policy_network *find_network(const struct policy *policy, struct word name);

/* One rule of a file: `allow` or `deny`, the word already taken. */
bool parse_rule(struct line *line, struct word verb);

/*
 * Long lists are of rules that differ from the one before in the number that ends them, of a user or group, and in
 * nothing else. Such a line is a rule at once: true. Any other is to be parsed, an error in it as well.
 */
bool repeat_rule(const struct line *line);

/* That no rule asks for what its network's mode cannot have, when all lines are known. */
bool check_rules(struct policy *policy, struct policy_error *error);

/* One network of a file: `network`, the word already taken. */
bool parse_network(struct line *line);

/*
 * What concerns no tap, and is the tool's alone (reader->services): the helper has none of this code.
 *
 * An option of what guests are told, checked and kept; true for any other. That all of a network's line goes together,
 * when its end is reached; `addresses`: the words of the IPv4 and IPv6 subnet. A `guest` or `forward` line, which is
 * only kept; and all of them, when the other lines are known.
 */
struct policy_services {
	bool (*option)(const struct line *line, struct policy_network *network, uint32_t option, struct word word,
		struct word value);
	bool (*network)(const struct line *line, struct policy_network *network, const struct word addresses[2]);
	bool (*later)(const struct line *line, bool forward);
	bool (*all)(struct policy *policy, struct policy_error *error);
};
bool keep_for_later(const struct line *line, bool forward);
bool parse_guests(struct policy *policy, struct policy_error *error);

/* The form of a `guest` or `forward` line, the word already taken: WORD on WORD OPTION..., WORD to WORD WHERE... */
bool check_form(struct line *line, bool forward);

/*
 * The subnets of `auto`, when the rest of the line is known: no IPv6 where it cannot be. A range that is written cannot
 * be meant, as nobody knows the subnet beforehand.
 */
bool check_auto(const struct line *line, struct policy_network *network);

/* The addresses that guests are given, by `dhcp=` and `ra`; that there are any, and that `lock-ip` can tell them. */
bool check_addresses(const struct line *line, struct policy_network *network, const struct word addresses[2]);

/* That no router which guests are told of has an address that another one may be given, when all guests are known. */
bool check_routers(struct policy *policy, struct policy_error *error);

/* On a network of `auto` with DHCP, a guest with `mac=` has an IPv4 address of its own, which follows from its name. */
void choose_address(const struct policy *policy, struct policy_guest *guest);

/* An address in text, in network byte order; of IPv6 it is 16 bytes. */
bool word_address(int family, struct word word, unsigned char address[static 4]);

/* Whether all bits behind the prefix are 0 (the subnet's own address) or all 1 (IPv4's broadcast). */
bool subnet_host_bits_are(const struct policy_subnet *subnet, unsigned int bits, bool one);

/*
 * Put what was probably meant in the place of an error's text, if the word that it is about is one of another program's
 * language. `line` is the whole line, without its newline.
 */
void explain_foreign(struct policy_error *error, struct word line);

/* Why a host cannot have a subnet's address, of a pool any of its addresses, as a word ("loopback"); NULL if it can. */
const char *subnet_reserved(const struct policy_subnet *subnet, bool ipv6);

/* A place in words: "a deny rule". */
const char *place_words(enum policy_place place);

/*
 * One option of a rule or network, taken apart at '=': its bit, or 0 if it is refused. Numbers, addresses and words
 * that stand alone go into *options; any other value (VALUE_OWN, VALUE_SERVED) is left in *value.
 */
uint32_t parse_option(const struct line *line, struct word word, enum policy_place place,
	struct policy_options *options, struct word *value);

#endif
