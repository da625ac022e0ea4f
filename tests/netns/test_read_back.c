// SPDX-License-Identifier: MIT
/*
 * What the helper made, changed by root before it is read back: refused, and gone. Each change is one that nothing but
 * one look of the helper's tells. (Bridges that change: test_races.c; guards: test_guard.c; locks: test_lock_mac.c.)
 *
 *	alice --- tap, up, whose helper is stopped --- br0, lab (host-only) or tap1 (standalone)
 */
#include "tests/netns/harness.h"

static const struct row {
	const char *about, *network, *change, *words;
} rows[] = {
	{"another alias", "--br=br0", "ip link set $tap alias other", "was changed meanwhile; try again"},
	{"down", "--br=br0", "ip link set $tap down", "was changed meanwhile; try again"},
	{"off its bridge", "--br=br0", "ip link set $tap nomaster", "was changed meanwhile; try again"},
	{"another MTU", "--br=lab", "ip link set $tap mtu 1300", "was changed meanwhile; try again"},
	{"its address let go of", "--br=br1", "bridge fdb del 52:54:00:12:34:56 dev $tap master",
		"was given away meanwhile; try again"},
	{"down, alone", "--br=tap1", "ip link set $tap down", "was changed meanwhile; try again"},
	{"another name", "--br=tap1", "ip link set $tap name tap2", "was changed meanwhile; try again"},
	{"no IPv4 address", "--br=tap1", "ip -4 addr flush dev $tap", "was changed meanwhile; try again"},
	{"no IPv6 address", "--br=tap1", "ip -6 addr flush dev $tap", "was changed meanwhile; try again"},
	{"shaped no more", "--br=slow", "tc qdisc del dev $tap root", "was switched off meanwhile; try again"},
	{"at another rate", "--br=slow", "tc qdisc replace dev $tap root tbf rate 9mbit burst 128k latency 100ms",
		"was switched off meanwhile; try again"},
	{"nothing of the descriptor's", "--br=tap1",
		"index=$(cat /sys/class/net/$tap/ifindex); alias=$(cat /sys/class/net/$tap/ifalias); ip link del $tap && "
		"ip link add name tap1 index $index type bridge && ip link set tap1 alias \"$alias\" up && "
		"ip addr add 172.16.2.1/24 dev tap1 && ip addr add fd00:2::1/64 dev tap1 nodad",
		"cannot read back the tap on 'tap1'"},
};

static struct running at_the_tap(const struct row *row)
{
	make_bridge("br0");
	make_bridge("br1");
	write_policy("network lab host-only 172.16.5.1/24\nnetwork tap1 standalone 172.16.2.1/24 fd00:2::1/64\n"
		     "network slow standalone 172.16.6.1/24 rate-in=8mbit\n"
		     "allow br0\nallow br1 mac=52:54:00:12:34:56\nallow lab mtu=1400\nallow tap1\nallow slow\n");
	command("\"$TAPGATE\" up >/dev/null");
	return start_stopped(&(struct call){.about = row->about, .argv = ARGS(row->network, FD)}, tap_is_up);
}

static void test_read_back(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		/* Without the change, as a control: it is granted. */
		for (int changed = 0; changed < 2; changed++) {
			struct running running = at_the_tap(&rows[i]);
			struct result result;

			if (changed)
				command("tap=%s; %s", first_tap(), rows[i].change);
			let_go_on(&running);
			result = finish(&running);
			if (changed)
				assert_refused(&result, 1, rows[i].words);
			else
				give_back(&result);
			clean_world(NULL);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {TEST(test_read_back)};

	return RUN_TESTS(tests);
}
