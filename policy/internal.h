/* What the files of policy/ share with one another, and with nobody else. */
#ifndef POLICY_INTERNAL_H
#define POLICY_INTERNAL_H

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
	char *texts[POLICY_FILES_MAX];
	size_t sizes[POLICY_FILES_MAX];
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

/* A line being read: what is left of it, and where it stands. */
struct line {
	struct policy *policy;
	struct policy_error *error;
	const char *start, *at, *end;
	uint16_t file;
	unsigned int number;
};

/* Errors: the last one; and who is told each of them, if the first does not end it (NULL: it does). */
struct errors {
	struct policy_error last;
	policy_tell *tell;
	void *context;
	size_t count; /* only counted where somebody is told; POLICY_ERRORS_MAX + 1: there are more */
};

/*
 * Whether to go on behind the last error, which is told if so. `line` is what it stands in, {NULL, 0} for a file as a
 * whole. False once there were too many: what is returned then is passed on, and nothing more is told.
 */
bool errors_go_on(struct errors *errors, struct word line);

/* The whole line of a file that a byte of its text is in, without its newline. */
struct word line_around(const struct policy *policy, uint16_t file, const char *at);

/* The words of a rule as they stand in its file; the name in them of an account, {NULL, 0} if it is a number. */
static inline struct word rule_words(const struct policy *policy, const struct rule *rule)
{
	return (struct word){policy->texts[rule->file] + rule->at, rule->size};
}
static inline struct word rule_account(
	const struct policy *policy, const struct rule *rule, const struct account *account)
{
	return (struct word){account->size ? rule_words(policy, rule).at + account->at : NULL, account->size};
}

/* The word of a rule that begins with an option; all of its words if there is none. */
struct word rule_option(const struct policy *policy, const struct rule *rule, const char *option);

/*
 * Room for one more element, not set, at the end of an array that grows fourfold: the array, moved if need be, or NULL
 * when memory ran out (the old array then still stands). Room that is not used costs nothing: no page of it is touched.
 */
void *array_room(void *array, size_t count, size_t *room, size_t size);

/* Add an element to one of a policy's arrays: a pointer to it, or NULL when memory ran out. */
#define ADD(policy, what)                                                                                              \
	__extension__({                                                                                                \
		void *array_ = array_room((policy)->what##s, (policy)->count.what##s, &(policy)->room.what##s,         \
			sizeof(*(policy)->what##s));                                                                   \
		if (array_)                                                                                            \
			(policy)->what##s = array_;                                                                    \
		array_ ? &(policy)->what##s[(policy)->count.what##s++] : NULL;                                         \
	})

/* "file:line" for a message, escaped, a long path cut: the text lives to the end of the expression with PLACE. */
struct place {
	char text[128];
};
struct place line_place(const char *file, unsigned int number);
#define PLACE(file, number) (line_place(file, number).text)

/* The next word of the line; false at its end. */
bool line_word(struct line *line, struct word *word);

/* Record why a line is refused, at the byte `at`. Always false, so that parsers can return it. */
bool line_refuse(const struct line *line, const char *at, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/*
 * A line that is one rule in the plainest words, "allow NAME user=NAME", apart by single blanks: what large policies
 * have thousands of, read in one pass. True: it is taken, and line->end is its newline, of which there must be one
 * before the line->end that it is given. False for all others: they are the full parser's, which reads these as well,
 * to the same end, and alone tells errors.
 */
bool parse_plain_rule(struct line *line);

/* Refuse a user or group, or a network, that is a word of another program's language: true. Else false. */
bool refuse_foreign_account(const struct line *line, struct word word);
bool refuse_foreign_network(const struct line *line, struct word word);

/* Refuse the first word of a line that is none of this language. Always false. */
bool refuse_verb(const struct line *line, struct word verb);

/* One rule of a file: `allow` or `deny`, the word already taken. */
bool parse_rule(struct line *line, struct word verb);

/* That no rule asks for what its network's mode cannot have, when all lines are known. */
bool check_rules(struct policy *policy, struct errors *errors);

/* One network of a file: `network`, the word already taken. */
bool parse_network(struct line *line);

/* Why a host cannot have a subnet's address, of a pool any of its addresses, as a word ("loopback"); NULL if it can. */
const char *subnet_reserved(const struct policy_subnet *subnet, bool ipv6);

/*
 * One option of a rule or network, taken apart at '='. `allowed` is the set of options (enum policy_option) that may
 * stand here, `where` says so in the error ("a deny rule"). Numbers, flags and addresses go into *options; options
 * whose values only the caller of this function understands (OPTION_USER and such) are left in *value, at most one per
 * call.
 */
bool parse_option(struct line *line, struct word word, uint32_t allowed, const char *where,
	struct policy_options *options, enum policy_option *option, struct word *value);

#endif
