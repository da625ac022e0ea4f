/* What the files of policy/ share with one another, and with nobody else. */
#ifndef POLICY_INTERNAL_H
#define POLICY_INTERNAL_H

#include "policy/array.h"
#include "policy/policy.h"

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
	struct sizes {
		size_t rules, accounts, options, networks;
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

/* That no rule asks for what its network's mode cannot have, when all lines are known. */
bool check_rules(struct policy *policy, struct policy_error *error);

/* One network of a file: `network`, the word already taken. */
bool parse_network(struct line *line);

/*
 * Put what was probably meant in the place of an error's text, if the word that it is about is one of another program's
 * language. `line` is the whole line, without its newline.
 */
void explain_foreign(struct policy_error *error, struct word line);

/* Why a host cannot have a subnet's address, of a pool any of its addresses, as a word ("loopback"); NULL if it can. */
const char *subnet_reserved(const struct policy_subnet *subnet, bool ipv6);

/*
 * One option of a rule or network, taken apart at '='. `allowed` is the set of options (enum policy_option) that may
 * stand here, `where` says so in the error ("a deny rule"). Numbers, flags and addresses go into *options; options
 * whose values only the caller of this function understands (OPTION_USER and such) are left in *value, at most one per
 * call.
 */
bool parse_option(const struct line *line, struct word word, uint32_t allowed, const char *where,
	struct policy_options *options, enum policy_option *option, struct word *value);

#endif
