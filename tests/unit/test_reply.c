/*
 * Netlink answers as the kernel gives them, and as it never would: link/reply.c must take the first, refuse the rest.
 * Answers are made here, byte by byte; no socket is opened.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <linux/if_bridge.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>

#include "tests/unit/datagram.h"

static void interface(struct datagram *d, int index, const char *name)
{
	const struct ifinfomsg header = {.ifi_index = index, .ifi_flags = IFF_UP};

	begin(d, RTM_NEWLINK);
	put(d, &header, sizeof(header));
	if (name)
		text(d, IFLA_IFNAME, name);
}

/* IFLA_LINKINFO { IFLA_INFO_KIND kind } */
static void kind(struct datagram *d, const char *value)
{
	size_t info = open_nest(d, IFLA_LINKINFO);

	text(d, IFLA_INFO_KIND, value);
	close_nest(d, info);
}

struct seen {
	int count;
	struct link_interface last;
};

static void see(void *context, const struct link_interface *interface)
{
	struct seen *seen = context;

	seen->count++;
	seen->last = *interface;
}

static int read_one(struct datagram *d, struct seen *seen)
{
	struct interface_reader reader = {see, seen};

	*seen = (struct seen){0};
	return read_with(d, reply_take_interface, &reader);
}

static int read_acknowledgement(struct datagram *d)
{
	struct reply reply = {.sequence = SEQUENCE, .port = PORT, .acknowledge = true};

	return reply_read(&reply, d->bytes, d->size);
}

static void test_one_interface(void **state)
{
	struct datagram d = {.size = 0};
	struct seen seen;
	const unsigned char mac[6] = {0xfe, 1, 2, 3, 4, 5};
	const uint32_t mtu = 1400, master = 9;

	(void)state;
	interface(&d, 5, "tg1-0");
	attribute(&d, IFLA_ADDRESS, mac, sizeof(mac));
	attribute(&d, IFLA_MTU, &mtu, sizeof(mtu));
	attribute(&d, IFLA_MASTER, &master, sizeof(master));
	text(&d, IFLA_IFALIAS, "tapgate uid=1000 net=br0 vmm=1");
	kind(&d, "tun");
	assert_int_equal(read_one(&d, &seen), 0);
	assert_int_equal(seen.count, 1);
	assert_int_equal(seen.last.index, 5);
	assert_string_equal(seen.last.name, "tg1-0");
	assert_string_equal(seen.last.kind, "tun");
	assert_string_equal(seen.last.alias, "tapgate uid=1000 net=br0 vmm=1");
	assert_memory_equal(seen.last.mac, mac, sizeof(mac));
	assert_int_equal(seen.last.mtu, 1400);
	assert_int_equal(seen.last.master, 9);
	assert_int_equal(seen.last.flags, IFF_UP);
}

/* IFLA_LINKINFO { IFLA_INFO_KIND "bridge" IFLA_INFO_DATA { ... } } */
static void test_a_bridge(void **state)
{
	static const struct {
		uint32_t stp, forward_delay;
	} rows[] = {{0, 0}, {1, 1500}, {2, 200}};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct datagram d = {.size = 0};
		struct seen seen;
		size_t info, data;

		interface(&d, 5, "br0");
		info = open_nest(&d, IFLA_LINKINFO);
		text(&d, IFLA_INFO_KIND, "bridge");
		data = open_nest(&d, IFLA_INFO_DATA);
		number(&d, IFLA_BR_FORWARD_DELAY, rows[i].forward_delay);
		number(&d, IFLA_BR_STP_STATE, rows[i].stp);
		close_nest(&d, data);
		close_nest(&d, info);
		assert_int_equal(read_one(&d, &seen), 0);
		assert_string_equal(seen.last.kind, "bridge");
		assert_int_equal(seen.last.stp, rows[i].stp != 0);
		assert_int_equal(seen.last.forward_delay, rows[i].forward_delay);
		assert_int_equal(seen.last.port.known, 0);
	}
}

/* IFLA_LINKINFO { IFLA_INFO_KIND kind IFLA_INFO_SLAVE_KIND master IFLA_INFO_SLAVE_DATA { IFLA_BRPORT_ISOLATED } } */
static void port(struct datagram *d, const char *master, const void *isolated, size_t size)
{
	size_t info, data;

	interface(d, 5, "tg1-0");
	info = open_nest(d, IFLA_LINKINFO);
	text(d, IFLA_INFO_KIND, "tun");
	text(d, IFLA_INFO_SLAVE_KIND, master);
	data = open_nest(d, IFLA_INFO_SLAVE_DATA);
	attribute(d, IFLA_BRPORT_ISOLATED, isolated, size);
	close_nest(d, data);
	close_nest(d, info);
}

/* Isolated is what the kernel says so of: one byte that is not 0, of a bridge's port. */
static void test_a_port(void **state)
{
	static const struct {
		const char *master;
		unsigned char isolated[4];
		size_t size;
		bool expected;
	} rows[] = {
		{"bridge", {1}, 1, true},
		{"bridge", {0}, 1, false},
		{"bridge", {1, 0, 0, 0}, 4, false},
		{"bridge", {0}, 0, false},
		{"bond", {1}, 1, false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct datagram d = {.size = 0};
		struct seen seen;

		port(&d, rows[i].master, rows[i].isolated, rows[i].size);
		assert_int_equal(read_one(&d, &seen), 0);
		assert_string_equal(seen.last.kind, "tun");
		assert_int_equal((seen.last.port.on & LINK_PORT(IFLA_BRPORT_ISOLATED)) != 0, rows[i].expected);
	}
}

static void test_errors_are_the_kernels_own(void **state)
{
	struct datagram d = {.size = 0}, acknowledged = {.size = 0};
	struct seen seen;

	(void)state;
	error(&d, -ENODEV);
	assert_int_equal(read_one(&d, &seen), -ENODEV);
	assert_int_equal(read_acknowledgement(&d), -ENODEV);
	error(&acknowledged, 0);
	assert_int_equal(read_acknowledgement(&acknowledged), 0);
	/* an acknowledgement is no interface */
	assert_int_equal(read_one(&acknowledged, &seen), -EPROTO);
	assert_int_equal(seen.count, 0);
}

/* Each row spoils one thing of an otherwise good answer. */
static void no_index(struct datagram *d)
{
	interface(d, 0, "br0");
}

static void negative_index(struct datagram *d)
{
	interface(d, -3, "br0");
}

static void no_name(struct datagram *d)
{
	interface(d, 5, NULL);
}

static void empty_name(struct datagram *d)
{
	interface(d, 5, "");
}

static void long_name(struct datagram *d)
{
	interface(d, 5, "a-name-of-16-byt");
}

static void name_without_end(struct datagram *d)
{
	interface(d, 5, NULL);
	attribute(d, IFLA_IFNAME, "br0", 3);
}

static void long_kind(struct datagram *d)
{
	interface(d, 5, "br0");
	kind(d, "a-kind-of-more-than-16-bytes");
}

static void long_kind_of_master(struct datagram *d)
{
	port(d, "a-kind-of-more-than-16-bytes", "", 1);
}

static void short_forward_delay(struct datagram *d)
{
	size_t info, data;

	interface(d, 5, "br0");
	info = open_nest(d, IFLA_LINKINFO);
	text(d, IFLA_INFO_KIND, "bridge");
	data = open_nest(d, IFLA_INFO_DATA);
	attribute(d, IFLA_BR_FORWARD_DELAY, "", 1);
	close_nest(d, data);
	close_nest(d, info);
}

static void short_mtu(struct datagram *d)
{
	interface(d, 5, "br0");
	attribute(d, IFLA_MTU, "\1\2", 2);
}

static void negative_master(struct datagram *d)
{
	const uint32_t master = 0x80000000;

	interface(d, 5, "br0");
	attribute(d, IFLA_MASTER, &master, sizeof(master));
}

static void other_sequence(struct datagram *d)
{
	interface(d, 5, "br0");
	d->message->nlmsg_seq++;
}

static void other_port(struct datagram *d)
{
	interface(d, 5, "br0");
	d->message->nlmsg_pid++;
}

static void other_type(struct datagram *d)
{
	interface(d, 5, "br0");
	d->message->nlmsg_type = RTM_NEWADDR;
}

static void overrun(struct datagram *d)
{
	begin(d, NLMSG_OVERRUN);
}

static void list_end(struct datagram *d)
{
	const int none = 0;

	begin(d, NLMSG_DONE);
	put(d, &none, sizeof(none));
}

static void positive_error(struct datagram *d)
{
	error(d, 5);
}

static void short_error(struct datagram *d)
{
	const int code = -ENODEV;

	begin(d, NLMSG_ERROR);
	put(d, &code, sizeof(code));
}

static void cut_message(struct datagram *d)
{
	interface(d, 5, "br0");
	d->size -= 4;
}

static void cut_header(struct datagram *d)
{
	begin(d, RTM_NEWLINK);
	d->size = 7;
}

static void length_of_nothing(struct datagram *d)
{
	begin(d, RTM_NEWLINK)->nlmsg_len = 0;
}

static void no_body(struct datagram *d)
{
	begin(d, RTM_NEWLINK);
}

static void nothing(struct datagram *d)
{
	d->size = 0;
}

static void test_what_the_kernel_never_says(void **state)
{
	static const struct {
		const char *name;
		void (*make)(struct datagram *);
	} rows[] = {
		{"index 0", no_index},
		{"negative index", negative_index},
		{"no name", no_name},
		{"empty name", empty_name},
		{"name of 16 bytes", long_name},
		{"name without NUL", name_without_end},
		{"kind too long", long_kind},
		{"kind of the master too long", long_kind_of_master},
		{"forward delay of one byte", short_forward_delay},
		{"MTU of two bytes", short_mtu},
		{"negative master", negative_master},
		{"another sequence", other_sequence},
		{"another port", other_port},
		{"another type", other_type},
		{"overrun", overrun},
		{"end of a list that was not asked for", list_end},
		{"positive error", positive_error},
		{"error cut short", short_error},
		{"message cut short", cut_message},
		{"header cut short", cut_header},
		{"length 0", length_of_nothing},
		{"no body", no_body},
		{"empty datagram", nothing},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct datagram d = {.size = 0};
		struct seen seen;

		rows[i].make(&d);
		int result = read_one(&d, &seen);
		if (result != -EPROTO || seen.count != 0)
			fail_msg("%s: returned %d, saw %d interfaces", rows[i].name, result, seen.count);
		result = read_acknowledgement(&d);
		if (result != -EPROTO)
			fail_msg("%s, for an acknowledgement: returned %d", rows[i].name, result);
	}
}

static void test_list(void **state)
{
	struct datagram first = {.size = 0}, last = {.size = 0};
	struct seen seen = {0};
	struct interface_reader reader = {see, &seen};
	struct reply reply = {
		.sequence = SEQUENCE, .port = PORT, .dump = true, .take = reply_take_interface, .context = &reader};

	(void)state;
	interface(&first, 5, "tg1-0");
	interface(&first, 6, "tg1-1");
	list_end(&last);
	assert_int_equal(reply_read(&reply, first.bytes, first.size), 1);
	assert_int_equal(reply_read(&reply, last.bytes, last.size), 0);
	assert_int_equal(seen.count, 2);
	assert_false(reply.interrupted);
}

static void test_interrupted_list(void **state)
{
	struct datagram d = {.size = 0};
	struct seen seen = {0};
	struct interface_reader reader = {see, &seen};
	struct reply reply = {
		.sequence = SEQUENCE, .port = PORT, .dump = true, .take = reply_take_interface, .context = &reader};

	(void)state;
	interface(&d, 5, "tg1-0");
	d.message->nlmsg_flags |= NLM_F_DUMP_INTR;
	assert_int_equal(reply_read(&reply, d.bytes, d.size), 1);
	assert_true(reply.interrupted);
}

static void test_list_that_failed(void **state)
{
	struct datagram d = {.size = 0};
	const int code = -ENOMEM;
	struct seen seen = {0};
	struct interface_reader reader = {see, &seen};
	struct reply reply = {
		.sequence = SEQUENCE, .port = PORT, .dump = true, .take = reply_take_interface, .context = &reader};

	(void)state;
	begin(&d, NLMSG_DONE);
	put(&d, &code, sizeof(code));
	assert_int_equal(reply_read(&reply, d.bytes, d.size), -ENOMEM);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_interface),
		cmocka_unit_test(test_a_bridge),
		cmocka_unit_test(test_a_port),
		cmocka_unit_test(test_errors_are_the_kernels_own),
		cmocka_unit_test(test_what_the_kernel_never_says),
		cmocka_unit_test(test_list),
		cmocka_unit_test(test_interrupted_list),
		cmocka_unit_test(test_list_that_failed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
