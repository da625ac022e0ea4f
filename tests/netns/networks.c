// SPDX-License-Identifier: MIT
/*
 * Networks as `tapgate up` makes them, made by hand: a bridge with its alias, and a guard with its seal. The rules are
 * the test's own. Of the code under test only the seal's arithmetic is used (link/nftables.c), which the kernel's
 * answers go into.
 */
#include "tests/netns/internal.h"

#include <netinet/in.h>

#include <linux/netfilter.h>
#include <stdio.h>
#include <string.h>

#include "link/link.h"

static bool guards_made;

bool have_guards(void)
{
	return guards_made;
}

void find_guards(void)
{
	guards_made = shell_status("nft list tables 2>/dev/null | grep -q .") == 0;
}

void forget_guards(void)
{
	if (guards_made)
		command("nft flush ruleset");
	guards_made = false;
}

const char *table_of(const char *network, const char *mode)
{
	static char text[128];
	char table[GUARD_TABLE_MAX];

	guard_table(network, table);
	snprintf(text, sizeof(text), "%s %s", strcmp(mode, "internal") == 0 ? "netdev" : "inet", table);
	return text;
}

const char *seal_of(const char *network, const char *mode, const char *as)
{
	static char seal[GUARD_SEAL_MAX];
	struct link *nftables;
	struct guard guard;

	assert_int_equal(nftables_open(&nftables), 0);
	assert_int_equal(
		guard_read(nftables, strcmp(mode, "internal") == 0 ? NFPROTO_NETDEV : NFPROTO_INET, network, &guard),
		0);
	link_close(nftables);
	assert_true(guard.exists);
	guard_seal(as, 0x1234, guard.standing, seal);
	return seal;
}

void make_guard(const char *name, const char *mode)
{
	guards_made = true;
	if (strcmp(mode, "internal") == 0)
		command("nft 'table %s { "
			"chain in { type filter hook ingress device \"%s\" priority -500; policy drop; }; "
			"chain out { type filter hook egress device \"%s\" priority -500; policy drop; }; }'",
			table_of(name, mode), name, name);
	else
		command("nft 'table %s { "
			"chain forward { type filter hook forward priority filter - 10; policy accept; "
			"iifname \"%s\" oifname != \"%s\" drop comment \"out\"; "
			"iifname != \"%s\" oifname \"%s\" drop comment \"in\"; }; "
			"chain input { type filter hook input priority filter - 10; policy accept; "
			"iifname \"%s\" udp dport { 68, 546 } drop; }; }'",
			table_of(name, mode), name, name, name, name, name);
	command("nft 'add chain %s %s'", table_of(name, mode), seal_of(name, mode, mode));
}

void make_network(const char *name, const char *mode)
{
	if (strcmp(mode, "standalone") != 0) {
		make_bridge(name);
		command("ip link set dev '%s' alias 'tapgate network=%s mode=%s'", name, name, mode);
	}
	make_guard(name, mode);
}
