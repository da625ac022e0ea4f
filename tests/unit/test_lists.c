// SPDX-License-Identifier: MIT
/*
 * Lists (link/exchange.c): passed on when they were read whole, and read anew where they changed meanwhile. A kernel is
 * played to them: what libnl would send is counted, and what it would receive comes from a script.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <endian.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <stdlib.h>
#include <sys/utsname.h>

#include "tests/unit/interface.h"

/* What each answer is like: a letter a datagram, an interface in each. */
static const char *script;
static int questions;
static bool of_nftables; /* it is asked for a guard */
static bool by_index;	 /* the kernel walks its interfaces by index */
static uint32_t sequence, port;

int nl_send_auto(struct nl_sock *socket, struct nl_msg *message)
{
	nl_complete_msg(socket, message);
	sequence = nlmsg_hdr(message)->nlmsg_seq;
	port = nlmsg_hdr(message)->nlmsg_pid;
	questions++;
	return 1;
}

int uname(struct utsname *system)
{
	strcpy(system->release, by_index ? "6.12.1" : "6.1.0");
	return 0;
}

static void address_me(struct datagram *d)
{
	d->message->nlmsg_seq = sequence;
	d->message->nlmsg_pid = port;
}

/* A table, chain or rule of a guard, as it was in the generation of rules that the last digit stands for. */
static void nftables_object(struct datagram *d, char letter)
{
	static char generation;
	const int type = letter == 'T' ? NFT_MSG_NEWTABLE : letter == 'C' ? NFT_MSG_NEWCHAIN : NFT_MSG_NEWRULE;
	struct nfgenmsg header = {.nfgen_family = NFPROTO_INET, .version = NFNETLINK_V0};

	if (script[1] >= '0' && script[1] <= '9')
		generation = *++script;
	header.res_id = htobe16((uint16_t)generation);
	begin(d, (uint16_t)(NFNL_SUBSYS_NFTABLES << 8 | type));
	put(d, &header, sizeof(header));
	text(d, NFTA_TABLE_NAME, "tapgate-lab");
}

/* 'a' to 'y': of the interface of that name; upper case: what changed meanwhile. '.': the end; '!', '?': errors. */
int nl_recv(struct nl_sock *socket, struct sockaddr_nl *sender, unsigned char **bytes, struct ucred **credentials)
{
	const char name[] = {(char)(*script | 32), '\0'};
	const int none = 0;
	struct datagram d = {.size = 0};

	(void)socket;
	(void)credentials;
	assert_true(*script);
	if (*script == '!' || *script == '?') {
		error(&d, *script == '!' ? -ENOBUFS : -ENOENT);
	} else if (of_nftables && *script != '.') {
		nftables_object(&d, *script);
	} else if (*script == '.') {
		begin(&d, NLMSG_DONE);
		put(&d, &none, sizeof(none));
	} else {
		interface(&d, *name, name);
		d.message->nlmsg_flags = *script == *name ? NLM_F_MULTI : NLM_F_MULTI | NLM_F_DUMP_INTR;
	}
	address_me(&d);
	script++;
	*sender = (struct sockaddr_nl){.nl_family = AF_NETLINK};
	*bytes = malloc(d.size);
	assert_non_null(*bytes);
	memcpy(*bytes, d.bytes, d.size);
	return (int)d.size;
}

static void see_name(void *context, const struct link_interface *interface)
{
	strcat(context, interface->name);
}

static void test_lists(void **state)
{
	static const struct {
		const char *script, *seen;
		int questions, result;
		bool by_index;
	} rows[] = {
		{".", "", 1, 0, false},
		{"abc.", "abc", 1, 0, false},
		{"aB.abc.", "abc", 2, 0, false},
		{"aBc.A.xy.", "xy", 3, 0, false},
		{"aBc.", "abc", 1, 0, true},
		{"ab!", "", 1, -ENOBUFS, false},
		{"aB.c!", "", 2, -ENOBUFS, false},
		{"A.B.C.D.E.F.G.H.I.J.K.L.M.N.O.P.", "p", 16, -EAGAIN, false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		char seen[64] = "";
		struct link *link;

		script = rows[i].script;
		questions = 0;
		by_index = rows[i].by_index;
		assert_int_equal(link_open(&link), 0);
		assert_int_equal(link_each(link, see_name, seen), rows[i].result);
		assert_string_equal(seen, rows[i].seen);
		assert_int_equal(questions, rows[i].questions);
		assert_string_equal(script, "");
		link_close(link);
	}
}

/* What a guard is made of comes in several answers, which have to be of one generation: else it is read anew. */
static void test_guard_of_one_generation(void **state)
{
	static const struct {
		const char *script;
		int questions, result;
	} rows[] = {
		{"?", 1, 0},
		{"T1C.R.???", 6, 0},
		{"T1C2.R.???T2CC.R.???", 12, 0},
		{"T1C.R2.???T2C.R3R.???T3C.R.???", 18, 0},
		{"T1C.RR.T2..??T2C.R.???", 14, 0},
		{"T1C2.R.???T1C2.R.???T1C2.R.???T1C2.R.???T1C2.R.???T1C2.R.???T1C2.R.???T1C2.R.???"
		 "T1C2.R.???T1C2.R.???T1C2.R.???T1C2.R.???T1C2.R.???T1C2.R.???T1C2.R.???T1C2.R.???",
			96, -EAGAIN},
	};

	(void)state;
	of_nftables = true;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct guard guard;
		struct link *link;

		script = rows[i].script;
		questions = 0;
		assert_int_equal(nftables_open(&link), 0);
		assert_int_equal(guard_read(link, NFPROTO_INET, "lab", &guard), rows[i].result);
		assert_int_equal(guard.exists, i > 0);
		assert_int_equal(questions, rows[i].questions);
		assert_string_equal(script, "");
		link_close(link);
	}
	of_nftables = false;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_guard_of_one_generation),
		cmocka_unit_test(test_lists),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
