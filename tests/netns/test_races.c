// SPDX-License-Identifier: MIT
/*
 * Races: bridges that are renamed, deleted and made anew while the helper is at work, and crowds of helpers. Whatever
 * is granted is on a bridge that had the name that was asked for while the helper ran; whatever is not leaves nothing.
 */
#include "tests/netns/harness.h"

#include <errno.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <linux/sockios.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
	CALLS = 200,
	AT_ONCE = 4,
	NAMINGS_MAX = 1 << 17,
};

/* When a link got a name, and when it lost it; 0: it has it still. */
struct naming {
	int index;
	char name[IFNAMSIZ];
	int64_t from, to;
};

/* What the racer writes and the test reads. */
struct history {
	volatile unsigned int count;
	volatile bool end;
	struct naming namings[NAMINGS_MAX];
};

static int64_t nanoseconds(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

/* --- the racer: links changed by ioctl, which is quick ------------------------------------------------------------ */

static int control = -1;
static struct history *history;

static int index_of(const char *name)
{
	struct ifreq request = {0};

	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", name);
	return ioctl(control, SIOCGIFINDEX, &request) == 0 ? request.ifr_ifindex : 0;
}

/* The time is taken before a name is given and after it is taken away: what is noted is never shorter than it was. */
static void note_named(const char *name, int64_t from)
{
	struct naming *naming = &history->namings[history->count];

	if (history->count + 1 >= NAMINGS_MAX)
		_exit(2);
	*naming = (struct naming){.index = index_of(name), .from = from};
	snprintf(naming->name, sizeof(naming->name), "%s", name);
	__atomic_add_fetch(&history->count, 1, __ATOMIC_SEQ_CST);
}

static void note_lost(const char *name)
{
	for (unsigned int i = history->count; i-- > 0;) {
		struct naming *naming = &history->namings[i];

		if (naming->to == 0 && strcmp(naming->name, name) == 0) {
			naming->to = nanoseconds();
			return;
		}
	}
}

static void add_bridge(const char *name)
{
	int64_t from = nanoseconds();
	struct ifreq request = {0};

	if (ioctl(control, SIOCBRADDBR, name) < 0)
		_exit(3);
	note_named(name, from);
	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", name);
	request.ifr_flags = IFF_UP;
	ioctl(control, SIOCSIFFLAGS, &request);
}

static void delete_bridge(const char *name)
{
	struct ifreq request = {0};

	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", name);
	ioctl(control, SIOCSIFFLAGS, &request); /* down */
	if (ioctl(control, SIOCBRDELBR, name) < 0)
		_exit(4);
	note_lost(name);
}

static void rename_link(const char *from, const char *to)
{
	struct ifreq request = {0};
	int64_t time = nanoseconds();

	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", from);
	snprintf(request.ifr_newname, sizeof(request.ifr_newname), "%s", to);
	if (ioctl(control, SIOCSIFNAME, &request) < 0)
		_exit(5);
	note_lost(from);
	note_named(to, time);
}

static void delete_and_make_anew(void)
{
	delete_bridge("br0");
	usleep(300);
	add_bridge("br0");
	usleep(8000);
}

static void rename_to_and_fro(void)
{
	rename_link("br0", "br9");
	usleep(200);
	rename_link("br9", "br0");
	usleep(700);
}

/* "dark" is another bridge, which is br0 for moments. */
static void swap(void)
{
	rename_link("br0", "spare");
	rename_link("dark", "br0");
	usleep(400);
	rename_link("br0", "dark");
	rename_link("spare", "br0");
	usleep(400);
}

/* br0 becomes a tap's name, then a bridge's again. */
static void change_kind(void)
{
	rename_link("br0", "br9");
	rename_link("tap9", "br0");
	usleep(300);
	rename_link("br0", "tap9");
	rename_link("br9", "br0");
	usleep(700);
}

__attribute__((noreturn)) static void race(void (*step)(void))
{
	control = socket(AF_INET, SOCK_DGRAM, 0);
	add_bridge("br0");
	add_bridge("dark");
	while (!history->end)
		step();
	_exit(0);
}

/* --- the oracle --------------------------------------------------------------------------------------------------- */

/* Whether a link had a name at some moment of a time. */
static bool had_name(int index, const char *name, int64_t from, int64_t to)
{
	for (unsigned int i = 0; i < history->count; i++) {
		const struct naming *naming = &history->namings[i];
		int64_t end = naming->to;

		if (naming->index == index && strcmp(naming->name, name) == 0 && naming->from <= to &&
			(end == 0 || end >= from))
			return true;
	}
	return false;
}

/* The index of the bridge that a tap is on: 0 if it is gone from it by now. */
static int master_of(int tap)
{
	struct ifreq request = {0};
	char path[64], target[256] = "";

	if (ioctl(tap, TUNGETIFF, &request) < 0)
		return 0;
	snprintf(path, sizeof(path), "/sys/class/net/%s/master", request.ifr_name);
	if (readlink(path, target, sizeof(target) - 1) < 0)
		return 0;
	return atoi(first_line("/sys/class/net/%s/master/ifindex", request.ifr_name));
}

/* 200 calls, some at once, against a racer. */
static void check_race(const char *about, void (*step)(void))
{
	unsigned int granted = 0, refused = 0, seen = 0;
	int status;
	pid_t racer;

	history = mmap(NULL, sizeof(*history), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_true(history != MAP_FAILED);
	write_policy("allow br0\ndeny dark\n");
	make_tap("tap9", 0, 0);
	racer = fork();
	if (racer == 0)
		race(step);
	note_child(racer);
	while (history->count < 2)
		usleep(100);
	for (unsigned int done = 0; done < CALLS; done += AT_ONCE) {
		struct running running[AT_ONCE];
		int64_t from[AT_ONCE];

		for (unsigned int i = 0; i < AT_ONCE; i++) {
			from[i] = nanoseconds();
			running[i] = start(&(struct call){.about = about});
		}
		for (unsigned int i = 0; i < AT_ONCE; i++) {
			struct result result = finish(&running[i]);
			int64_t to = nanoseconds();

			if (result.code != 0) {
				assert_refused(&result, 1, "br0");
				refused++;
				continue;
			}
			EXPECT(&result, result.bytes == 1 && result.fds == 1 && result.errors_size == 0);
			int master = master_of(result.tap);
			/* The racer notes a name a moment after it gave it. */
			for (int tries = 0; master && !had_name(master, "br0", from[i], to) && tries < 200; tries++)
				usleep(1000);
			EXPECT(&result, master == 0 || had_name(master, "br0", from[i], to));
			seen += master != 0;
			granted++;
			close(result.tap);
		}
	}
	history->end = true;
	assert_int_equal(waitpid(racer, &status, 0), racer);
	forget_child(racer);
	assert_int_equal(status, 0);
	print_message("           %s: %u granted (%u still on a bridge), %u refused, %u changes\n", about, granted,
		seen, refused, history->count);
	assert_int_equal(count_taps(), 1); /* tap9 */
	assert_true(granted > 0);
	munmap(history, sizeof(*history));
}

/*
 *	alice --- tap or not --- br0, which is deleted and made anew all the time
 */
static void test_delete(void **state)
{
	(void)state;
	check_race("deleted and made anew", delete_and_make_anew);
}

/*
 *	alice --- tap or not --- br0, which is br9 for moments
 */
static void test_rename(void **state)
{
	(void)state;
	check_race("renamed", rename_to_and_fro);
}

/*
 *	alice --- tap or not --- br0 and dark, which swap names
 */
static void test_swap(void **state)
{
	(void)state;
	check_race("swapped", swap);
}

/*
 *	alice --- tap or not --- br0, which is a tap for moments
 */
static void test_change_kind(void **state)
{
	(void)state;
	check_race("a tap for moments", change_kind);
}

/*
 *	alice --- tap, whose helper waits for a candidate behind it --- br0, max=1; meanwhile something is changed
 *
 * The helper has looked br0 up and joined it. What it finds when it reads back is what counts.
 */
static void test_changes_before_the_hand_over(void **state)
{
	static const struct {
		const char *about, *change;
	} rows[] = {
		{"renamed", "ip link set br0 down && ip link set br0 name br9"},
		{"another in its place",
			"ip link set br0 down && ip link set br0 name br9 && ip link add br0 type bridge"},
		{"the one that is denied in its place", "ip link set br0 down && ip link set dark down && ip link set "
							"br0 name br9 && ip link set dark name br0"},
		{"its name is an alternative one now",
			"ip link set br0 down && ip link set br0 name br9 && ip link property add dev br9 altname br0"},
		{"deleted", "ip link del br0"},
		{"made anew", "ip link del br0 && ip link add br0 type bridge"},
		{"the tap taken off it", "ip link set $tap nomaster"},
		{"the tap on another", "ip link set $tap nomaster && ip link set $tap master dark"},
		{"the tap deleted", "ip link del $tap"},
		{"the tap's name taken by another",
			"ip link set $tap name tap9 && ip link add $tap type veth peer name v9"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct running running;
		struct result result;

		make_bridge("br0");
		make_bridge("dark");
		write_policy("allow br0\ndeny dark\n");
		running = start_stopped(&(struct call){.about = rows[i].about}, tap_is_signed);
		command("tap=$(ls /sys/class/net/br0/brif) && %s", rows[i].change);
		let_go_on(&running);
		result = finish(&running);
		if (strcmp(rows[i].about, "the tap's name taken by another") == 0 && result.code == 0) {
			/* Its index is what counts; the name is only for people. */
			EXPECT(&result, result.fds == 1);
			close(result.tap);
		} else {
			assert_refused(&result, 1, "");
		}
		assert_int_equal(count_taps(), 0);
		clean_world(NULL);
	}
}

/*
 *	alice, bob, carol --- 60 taps at once --- br0, no limit: each has one, and none has another's
 */
static void test_crowd(void **state)
{
	static const struct user *const users[] = {&alice, &bob, &carol};
	static struct running running[60];
	static struct result results[60];
	char *before;

	(void)state;
	prepare_br0();
	before = snapshot();
	for (size_t i = 0; i < COUNT(running); i++)
		running[i] = start(&(struct call){.about = "crowd", .user = users[i % 3]});
	for (size_t i = 0; i < COUNT(running); i++) {
		results[i] = finish(&running[i]);
		assert_granted(&results[i], "br0");
	}
	assert_int_equal(count_taps(), COUNT(running));
	for (size_t i = 0; i < COUNT(running); i++)
		give_back(&results[i]);
	assert_unchanged(before);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_delete),
		TEST(test_rename),
		TEST(test_swap),
		TEST(test_change_kind),
		TEST(test_changes_before_the_hand_over),
		TEST(test_crowd),
	};

	return RUN_TESTS(tests);
}
