/*
 * The policy: text -> rules -> verdict.
 *
 * A pure library: load, decide, and arithmetic on the networks that were loaded. It has no globals, touches no file,
 * asks the kernel nothing and knows no privilege: what it needs from outside comes through the callbacks below, so that
 * the helper, the tools, the tests and the fuzzers share one parser and one decision. The language is described in
 * tapgate.conf(5).
 */
#ifndef POLICY_POLICY_H
#define POLICY_POLICY_H

#include "policy/text.h"

enum {
	POLICY_LINE_MAX = 4095,	    /* bytes in a line, newline excluded */
	POLICY_FILES_MAX = 64,	    /* files in a policy, includes counted each time */
	POLICY_DEPTH_MAX = 8,	    /* files open inside one another */
	POLICY_BYTES_MAX = 4 << 20, /* bytes in all files together */
	POLICY_NETWORKS_MAX = 256,
	POLICY_ERRORS_MAX = 100, /* errors that policy_check tells */
	POLICY_POOL_MAX = 65535, /* subnets that a pool hands out at most, however many it has */
	POLICY_QUEUES_MAX = 16,
	POLICY_LEASES_MAX = 64,
	POLICY_MTU_MAX = 65521, /* bytes: what a tap can have, 65535 less an Ethernet header (drivers/net/tun.c) */
};

/* --- reading files ---------------------------------------------------------------------------------------------- */

/* One file's content. */
struct policy_file {
	char *text; /* from malloc, not NULL even when empty; the policy frees it */
	size_t size;
	uint64_t device, inode; /* to know the file again: an include of itself is an error */
};

enum policy_read {
	POLICY_READ,	/* the content is in *file */
	POLICY_HIDDEN,	/* the caller may not read it (EACCES): it contributes nothing */
	POLICY_REFUSED, /* anything else: `why` says what, and the policy as a whole is refused */
};

/* Reads the file at an absolute path. `limit` is how many bytes are still allowed. */
struct policy_reader {
	enum policy_read (*read)(
		void *context, const char *path, size_t limit, struct policy_file *file, char *why, size_t why_size);
	void *context;
};

/* Why a policy was refused, and where. line 0: the file as a whole; column counts bytes from 1, 0: the whole line. */
struct policy_error {
	char file[256];
	size_t part; /* with a line: the file's number among those that were read, from 0 */
	unsigned int line, column;
	char what[448];
};

/* The error as one line without a newline: "file:line:column: what, expected what", without a line or column of 0. */
void policy_error_print(const struct policy_error *error, char *buffer, size_t size);

/* --- what a policy says ------------------------------------------------------------------------------------------ */

/* Options of a port. A bit in `given` for each that was written. */
enum policy_option {
	OPTION_MAX = 1 << 0,
	OPTION_QUEUES = 1 << 1,
	OPTION_MAC = 1 << 2,
	OPTION_LOCK_MAC = 1 << 3,
	OPTION_GUARD = 1 << 4,
	OPTION_VLAN = 1 << 5,
	OPTION_MTU = 1 << 6,
	OPTION_ISOLATED = 1 << 7,
	/* of network lines alone */
	OPTION_DHCP = 1 << 8,
	OPTION_PER_VM = 1 << 9,
	OPTION_LEASES = 1 << 12,
	OPTION_LOCK_IP = 1 << 13,
	/* of rules alone */
	OPTION_USER = 1 << 10,
	OPTION_GROUP = 1 << 11,
};

struct policy_options {
	uint32_t given;	 /* enum policy_option */
	uint32_t max;	 /* taps of one user on the network, 1 to 65535 */
	uint32_t queues; /* 1 to POLICY_QUEUES_MAX */
	uint32_t vlan;	 /* 1 to 4094 */
	uint32_t mtu;	 /* bytes, 68 to POLICY_MTU_MAX */
	uint32_t leases; /* hardware addresses behind a port that DHCP serves, 1 to POLICY_LEASES_MAX */
	unsigned char mac[6];
	unsigned char padding[2]; /* named, so that two can be compared as bytes */
};

enum policy_mode { MODE_BRIDGED, MODE_NAT, MODE_HOST_ONLY, MODE_INTERNAL, MODE_STANDALONE };

/* An address and its subnet. */
struct policy_subnet {
	bool given;
	unsigned char address[16]; /* network byte order; IPv4 in the first four */
	unsigned int prefix;	   /* bits, 1 to 32 or 128 */
	unsigned int per_vm;	   /* bits of the subnet that each guest gets, 0 if the subnet is not a pool */
};

/* A `network` line. */
struct policy_network {
	char name[NAME_MAX_BYTES + 1];
	enum policy_mode mode;
	struct policy_subnet ipv4, ipv6;
	uint32_t dhcp_first, dhcp_last; /* IPv4 addresses in host byte order, with OPTION_DHCP */
	struct policy_options options;
	const char *file;
	unsigned int line;
};

const char *policy_mode_name(enum policy_mode mode);

/* The options that a rule may have and a network of a mode cannot, and what a set's first option is called. */
uint32_t policy_mode_lacks(enum policy_mode mode);
const char *policy_option_name(uint32_t options);

/* How many hardware addresses behind one port DHCP serves: what leases= says, else 4. */
unsigned int policy_leases(const struct policy_network *network);

/* --- subnets ----------------------------------------------------------------------------------------------------- */

/* Whether two prefixes of one family, in network byte order, have an address in common. Bits behind a prefix: any. */
bool policy_prefixes_overlap(const unsigned char *a, unsigned int a_bits, const unsigned char *b, unsigned int b_bits);

/*
 * How many subnets a network's pool has: of IPv4 and IPv6 the lesser, at most POLICY_POOL_MAX; 0 if the network is not
 * a pool. They have the numbers from 1 on.
 */
uint32_t policy_pool_size(const struct policy_network *network);

/*
 * The subnets of a pool that have a number, in each family that the pool has: `address` is the host's, the first
 * behind the subnet's own, or the first of all where there are only two (/31, RFC 3021; /127, RFC 6164); the guest's
 * is the next one. With a number that the pool does not have neither is given.
 */
void policy_pool_subnet(
	const struct policy_network *network, uint32_t number, struct policy_subnet *ipv4, struct policy_subnet *ipv6);

/* What a standalone network's tap is called: "NAME", and "NAME-NUMBER" for a pool's (number 0: not a pool). */
void policy_tap_name(const struct policy_network *network, uint32_t number, char name[static NAME_MAX_BYTES + 1]);

/* --- deciding ---------------------------------------------------------------------------------------------------- */

enum policy_account { ACCOUNT_USER, ACCOUNT_GROUP };

/* A line of /etc/passwd or /etc/group. */
struct policy_name {
	const char *name;
	uint32_t size; /* of the name, in bytes; 0: a group that is known by its number alone */
	uint32_t number;
};
struct policy_names {
	struct policy_name *list; /* in the order of the lines: of two with one name the first counts */
	size_t count, room;
};

/* What the account files say, and to a caller, by enum policy_account. */
struct policy_accounts {
	struct policy_names all[2];
	struct policy_names own[2]; /* the caller's names; the groups that it holds, or is a member of by the files */
	bool unlisted[2];	    /* whether it has an id that no line has */
};

/* Who asks: ids of the process itself. groups holds its real gid and its supplementary groups. */
struct policy_caller {
	uint32_t uid;
	const uint32_t *groups;
	size_t group_count;
	const struct policy_accounts *accounts; /* NULL: not read */
};

enum policy_outcome {
	POLICY_ALLOWED,
	POLICY_DENIED,	       /* by the rule */
	POLICY_DENIED_UNKNOWN, /* by the rule: its name `unknown` is in no account file and might mean the caller */
	POLICY_DENIED_DROPPED, /* the rule is the one for the caller, but its process does not hold the group */
	POLICY_DENIED_NO_RULE, /* no rule allows it; rule is empty */
	POLICY_ASKS_ACCOUNTS,  /* undecided: it depends on caller->accounts, which are to be read; rule is empty */
};

/* A decision and its reason. Everything points into the policy. */
struct policy_verdict {
	enum policy_outcome outcome;
	const char *file; /* where the deciding rule is, and its words as they stand there */
	unsigned int line;
	struct word rule;
	struct word unknown;
	struct policy_options grants;	      /* of the deciding rule */
	const struct policy_network *network; /* the line that describes the network; NULL if there is none */
	const char *hidden;		      /* the first file that the caller may not read; NULL if there is none */
};

struct policy;

/*
 * Load the policy at an absolute path, with all that it includes. Returns NULL and fills *error if any file, line or
 * word is not as the language demands, or if memory ran out. Never skips a line.
 */
struct policy *policy_load(const struct policy_reader *reader, const char *path, struct policy_error *error);

/* Is told an error and the line that it is in, without its newline ({NULL, 0}: none); both last as long as the call. */
typedef void policy_tell(void *context, const struct policy_error *error, struct word line);

/*
 * The same for somebody who wants to know of every error: tells each, and goes on in the next line, as if the refused
 * one were not there; of a line only its first error. The first that is told is at the place of policy_load's, and says
 * the same, or what was probably meant, where it is a word of another program's language. *count receives how many
 * there were, which is 0 exactly if a policy is returned; POLICY_ERRORS_MAX + 1 if there are more than that: it then
 * stops, and has told POLICY_ERRORS_MAX of them. Every file is read once.
 */
struct policy *policy_check(
	const struct policy_reader *reader, const char *path, policy_tell *tell, void *context, size_t *count);

/*
 * Decide whether a caller may use a network. Any matching deny wins. Among matching allows a rule for users beats a
 * rule for groups beats a rule for everybody; among equals the first. `network` must pass word_name_problem.
 *
 * A process that dropped groups never gains by it: membership by the account files counts against the caller as well
 * (a deny of the group matches; an allow of the group that would decide asks that the group be held).
 */
struct policy_verdict policy_decide(
	const struct policy *policy, const char *network, const struct policy_caller *caller);

/* The first line with a name; NULL if there is none. Whether there is one with a number. */
const struct policy_name *policy_find_name(const struct policy_names *names, struct word name);
bool policy_has_number(const struct policy_names *names, uint32_t number);

/* The first of its files that could not be read for want of permission, and so says nothing; NULL if there is none. */
const char *policy_hidden(const struct policy *policy);

/*
 * Call `each` with every network that the policy names, again whenever it does: those of network lines, then those of
 * rules. Returns whether a rule allows 'all' networks to anybody, so that others may matter, too.
 */
bool policy_each_name(const struct policy *policy, void (*each)(void *context, const char *name), void *context);

/* The networks, in the order of their lines; *count receives their number. */
const struct policy_network *policy_networks(const struct policy *policy, size_t *count);

/* --- looking at rules -------------------------------------------------------------------------------------------- */

/* The more exactly a rule names the caller, the more it counts: in this order. */
enum policy_who { WHO_EVERYBODY, WHO_GROUPS, WHO_USERS };

/* A rule, to look at. Everything points into the policy. */
struct policy_rule {
	bool allow;
	enum policy_who who;
	const char *network; /* empty: all */
	const struct policy_options *options;
	size_t account_count; /* users or groups that it names */
	const char *file;
	unsigned int line;
	struct word words; /* as they stand there */
	struct word whole; /* the line that they are in, without its newline */
};

/* A user or group that a rule names: by number if name.at is NULL. */
struct policy_account_word {
	struct word name;
	uint32_t number;
	struct word at; /* as it stands in the rule */
};

/* How many rules there are, and the one at an index, in the order in which policy_decide sees them. */
size_t policy_rule_count(const struct policy *policy);
struct policy_rule policy_rule(const struct policy *policy, size_t index);

/* Call `each` for every user or group that a rule names, in order. */
void policy_each_account(const struct policy *policy, size_t rule,
	void (*each)(void *context, const struct policy_account_word *account), void *context);

/* A file of the policy, and the include that names it (file, line, column); NULL, 0, 0 for the policy itself. */
struct policy_part {
	const char *path;
	const char *by;
	unsigned int line, column;
};
size_t policy_part_count(const struct policy *policy);
struct policy_part policy_part(const struct policy *policy, size_t index);

/* A line of a file, by its number from 1, without its newline; {NULL, 0} if the policy has no such line. */
struct word policy_line(const struct policy *policy, const char *path, unsigned int number);

/*
 * Report what keeps networks from standing beside one another: each pair whose subnets overlap (once for IPv4 and once
 * for IPv6), and each network whose name begins as those of the taps of a pool do ("cell-5", and "cell-x" too, beside
 * the pool "cell"). An error names the later line as its place, and the earlier one in its text; it has no column.
 * Returns how many there were. Decisions do not depend on it.
 */
size_t policy_conflicts(
	const struct policy *policy, void (*report)(void *context, const struct policy_error *error), void *context);

void policy_free(struct policy *policy);

#endif
