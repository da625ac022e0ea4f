// SPDX-License-Identifier: MIT
/*
 * Frames to the 16 addresses 01:80:c2:00:00:00 to :0f, which bridges do not forward: the kernel gives them to the host
 * with the guest's tap as the interface that they came in by. No guard on the bridge sees them. From there the host
 * would take a router's word, answer ARP, and its programs would answer.
 *
 *	guest --- tap --- (lab, quiet, web, pub, way, br0 or br1) --- host
 *	           '-------------------------------------->'
 */
#include "tests/attacks/attack.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/netns/frames.h"

enum { PORT = 5353, DHCP = 67, LLDP = 0x88cc };

static const char *const networks[] = {"lab", "quiet", "web", "pub", "way", "br0", "br1"};

/* How a frame can be dressed: tags of no VLAN are none to the host, and it looks behind two of them. */
static struct frame dressed(const struct frame *frame, unsigned int dress)
{
	const struct frame once = tagged(frame, dress == 3 ? 0x88a8 : 0x8100, dress == 4 ? 7 : 0xe000);

	if (dress == 0)
		return *frame;
	return dress == 2 ? tagged(&once, 0x8100, 0) : once;
}
enum { DRESSES = 5 };

/* What the host has taken of it. */
struct taken {
	bool router, ipv4, ipv6, dhcp, arp, other;
};

struct ears {
	int ipv4, ipv6, dhcp, other;
};

static void send_dressed(const struct result *guest, struct frame frame, unsigned int dress)
{
	const struct frame sent = dressed(&frame, dress);

	sends(guest, &sent);
}

static struct taken attack(const struct result *guest, const struct ears *ears, unsigned int last, unsigned int dress)
{
	const char *to = reserved(last);
	struct taken taken;

	forgets(guest);
	send_dressed(guest, ra(to), dress);
	send_dressed(guest, udp(to, "192.0.2.77", "192.0.2.1", PORT), dress);
	send_dressed(guest, udp(to, "0.0.0.0", "255.255.255.255", DHCP), dress);
	send_dressed(guest, udp(to, "2001:db8:1::77", "2001:db8:1::1", PORT), dress);
	send_dressed(guest, arp(to, "192.0.2.77", "192.0.2.1"), dress);
	send_dressed(guest, of_type(to, LLDP), dress);
	taken = (struct taken){.router = believes_router(),
		.ipv4 = arrived(ears->ipv4),
		.ipv6 = arrived(ears->ipv6),
		.dhcp = arrived(ears->dhcp),
		.arp = hears_arp(guest, "192.0.2.1"),
		.other = arrived(ears->other)};
	return taken;
}

enum { ALL_KINDS = 6 };
static int count(const struct taken *taken)
{
	return taken->router + taken->ipv4 + taken->ipv6 + taken->dhcp + taken->arp + taken->other;
}

static void complain_of(const struct result *guest, const struct taken *taken, unsigned int last, unsigned int dress)
{
	complain(guest, __FILE__, __LINE__, "%s, dress %u: router %d IPv4 %d IPv6 %d DHCP %d ARP %d other %d",
		reserved(last), dress, taken->router, taken->ipv4, taken->ipv6, taken->dhcp, taken->arp, taken->other);
}

static struct ears listen_on(const struct result *guest)
{
	return (struct ears){.ipv4 = udp_socket(AF_INET, PORT),
		.ipv6 = udp_socket(AF_INET6, PORT),
		.dhcp = udp_socket(AF_INET, DHCP),
		.other = type_socket(tap_of(guest), LLDP)};
}

/* Nothing of it, whatever the address and the tags. */
static void test_nothing_is_taken(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(networks); i++) {
		struct result guest = guest_on(networks[i]);
		const struct ears ears = listen_on(&guest);
		int before = packet_socket(tap_of(&guest));

		for (unsigned int last = 0; last < 16; last++)
			for (unsigned int dress = 0; dress < DRESSES; dress++) {
				const struct taken taken = attack(&guest, &ears, last, dress);

				EXPECT(&guest, arrived(before)); /* in front of all walls: see SECURITY.md */
				if (count(&taken) != 0)
					complain_of(&guest, &taken, last, dress);
			}
		close(before);
		guest_ends(&guest);
		close_host(NULL);
		open_host(NULL);
	}
}

/*
 * A control: all of it, by each address that the kernel gives to the host (the first it floods, as the bridges here do
 * not speak the spanning tree protocol; the second, that of PAUSE, it drops).
 */
static void test_all_is_taken_without_the_wall(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(networks); i++) {
		struct result guest = guest_on(networks[i]);
		const struct ears ears = listen_on(&guest);

		without_wall(tap_of(&guest));
		for (unsigned int last = 2; last < 16; last++)
			for (unsigned int dress = 0; dress < DRESSES - 1; dress++) {
				const struct taken taken = attack(&guest, &ears, last, dress);

				if (count(&taken) != ALL_KINDS)
					complain_of(&guest, &taken, last, dress);
				command("ip -6 route flush proto ra; ip -6 addr flush dev %s", tap_of(&guest));
			}
		guest_ends(&guest);
		close_host(NULL);
		open_host(NULL);
	}
}

/*
 *	standalone guest --- tap1: the host's own interface
 *
 * Here the guard watches the tap itself, whatever the frame's address.
 */
static void test_standalone(void **state)
{
	for (unsigned int last = 0; last < 16; last++) {
		struct result guest = guest_on("tap1");
		const struct ears ears = listen_on(&guest);
		struct taken taken = attack(&guest, &ears, last, 0);

		EXPECT(&guest, !taken.router && !taken.ipv4 && !taken.ipv6);
		without_guard("tap1");
		taken = attack(&guest, &ears, last, 0);
		EXPECT(&guest, taken.router && taken.ipv4 && taken.ipv6);
		guest_ends(&guest);
		close_host(state);
		open_host(state);
	}
}

/* --- what has to pass all the same -------------------------------------------------------------------------------- */

/* A frame that only this test sends, of a type, to one of the addresses. */
static bool comes_out(const struct result *guest, int uplink, const struct frame *frame)
{
	comes(uplink, 0, "", 0);
	sends(guest, frame);
	return comes(uplink, 0, frame->bytes, 14);
}

/*
 *	guest --- tap --- br0 --- uplink ~~~ a switch
 *
 * The switch hears of a guest what it would hear without tapgate: BPDUs, as long as the bridge speaks no spanning tree
 * protocol itself, and what an administrator has the bridge forward; never LLDP, LACP, 802.1X or PAUSE by itself.
 */
static void test_switch(void **state)
{
	static const unsigned int types[16] = {[1] = 0x8808, [2] = 0x8809, [3] = 0x888e, [14] = 0x88cc};
	struct result guest;
	int uplink;

	(void)state;
	uplink = cable("uplink", "br0");
	for (unsigned int mask = 0; mask <= 0x4008; mask += 0x4008) {
		command("ip link set br0 type bridge group_fwd_mask %u", mask);
		for (unsigned int walled = 0; walled < 2; walled++) {
			struct frame frame = bpdu(reserved(0));

			guest = guest_on("br0");
			if (!walled)
				without_wall(tap_of(&guest));
			EXPECT(&guest, comes_out(&guest, uplink, &frame));
			for (unsigned int last = 1; last < 16; last++) {
				frame = of_type(reserved(last), types[last] ? types[last] : 0x88b5);
				EXPECT(&guest, comes_out(&guest, uplink, &frame) == ((mask >> last & 1) != 0));
			}
			guest_ends(&guest);
		}
	}
}

/*
 *	guest --- tap --- br0, which speaks the spanning tree protocol
 *
 * A BPDU is still heard: it is how a bridge learns that a guest has tied two of its ports together. A frame to the same
 * address that is none goes nowhere.
 */
static void test_spanning_tree(void **state)
{
	const struct frame claim = bpdu(reserved(0)), no_bpdu = udp(reserved(0), "192.0.2.77", "192.0.2.1", PORT);
	struct result guest;
	int ears;

	(void)state;
	command("ip link set br0 type bridge stp_state 1");
	ears = udp_socket(AF_INET, PORT);
	guest = guest_on("br0");
	sends(&guest, &no_bpdu);
	EXPECT(&guest, !arrived(ears));
	sends(&guest, &claim);
	EXPECT(&guest, strcmp(first_line("/sys/class/net/br0/bridge/root_id"), "0000.000000000001") == 0);
	without_wall(tap_of(&guest));
	sends(&guest, &no_bpdu);
	EXPECT(&guest, arrived(ears));
	guest_ends(&guest);
}

/* --- it is read back ---------------------------------------------------------------------------------------------- */

/*
 *	alice --- tap, whose helper is stopped --- lab
 *
 * Meanwhile somebody takes the wall away, or a half of it, or puts another in its place.
 */
static void test_wall_taken_away_meanwhile(void **state)
{
	static const char *const changes[] = {
		"tc qdisc del dev $tap clsact",
		"tc filter del dev $tap ingress",
		"tc filter del dev $tap egress",
		"tc filter replace dev $tap ingress prio 1 handle 1 protocol all bpf bytecode '1,6 0 0 4294967295,' da",
		"tc filter replace dev $tap egress prio 1 handle 1 protocol all bpf bytecode '1,6 0 0 4294967295,' da",
	};

	(void)state;
	command("ip link del plug"); /* taps are counted here */
	for (size_t i = 0; i < COUNT(changes); i++) {
		struct running running;
		struct result result;

		write_policy("network lab host-only 172.16.5.1/24 fd00:5::1/64\nallow lab\n");
		running = start_stopped(&(struct call){.about = changes[i], .argv = ARGS("--br=lab", FD)}, tap_is_up);
		command("tap=$(ls /sys/class/net/lab/brif) && %s", changes[i]);
		let_go_on(&running);
		result = finish(&running);
		assert_refused(&result, 1, " and the host apart was changed meanwhile; try again");
		assert_int_equal(count_taps(), 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ATTACK(test_nothing_is_taken),
		ATTACK(test_all_is_taken_without_the_wall),
		ATTACK(test_standalone),
		ATTACK(test_switch),
		ATTACK(test_spanning_tree),
		ATTACK(test_wall_taken_away_meanwhile),
	};

	return RUN_TESTS(tests);
}
