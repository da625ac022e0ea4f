// SPDX-License-Identifier: MIT
/* The oracles, granted and refused: what must have come of a call. */
#include "tests/netns/internal.h"

#include <linux/if.h>
#include <linux/if_tun.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { TAP_MTU = 65521 }; /* the highest that a tap may have: 65535 less an Ethernet header (drivers/net/tun.c) */

void complain(const struct result *result, const char *file, int line, const char *format, ...)
{
	char why[1024];
	va_list args;

	va_start(args, format);
	vsnprintf(why, sizeof(why), format, args);
	va_end(args);
	print_error("%s\n%s\ncall:  ", why, result->call.about ? result->call.about : "");
	for (const char *const *word = result->call.argv; *word; word++)
		print_error(" %.200s", *word);
	print_error("\nuid:    %u\nexit:   %d after %u ms\nstderr: %s\nlog:    %s\nsent:   %u bytes, %u descriptors\n",
		result->call.user->uid, result->code, result->elapsed, result->errors, result->log, result->bytes,
		result->fds);
	_fail(file, line);
	abort(); /* not reached */
}

/* The name, or "" if the descriptor is not a tap any more. */
static void name_of_tap(int tap, struct ifreq *request)
{
	*request = (struct ifreq){0};
	if (ioctl(tap, TUNGETIFF, request) < 0)
		request->ifr_name[0] = '\0';
}

static bool asks_for(const struct call *call, const char *option)
{
	for (const char *const *word = call->argv; *word; word++) {
		if (strcmp(*word, option) == 0)
			return true;
	}
	return false;
}

/* The network that a call asks for: --net= wins. */
static const char *asked_network(const struct call *call)
{
	const char *br = "", *net = NULL;

	for (const char *const *word = call->argv; *word; word++) {
		if (strncmp(*word, "--br=", 5) == 0)
			br = *word + 5;
		if (strncmp(*word, "--net=", 6) == 0)
			net = *word + 6;
	}
	return net ? net : br;
}

void assert_tap(const struct result *result, const char *bridge)
{
	const struct call *call = &result->call;
	char master[512] = "", path[64], alias[IFALIASZ], owner[16];
	const char *network = asked_network(call);
	const char *sys = "/sys/class/net", *slash, *mode;
	unsigned long mtu;
	struct ifreq request;
	short flags = IFF_TAP | IFF_NO_PI;

	if (asks_for(call, "--use-vnet"))
		flags = (short)(flags | IFF_VNET_HDR);
	name_of_tap(result->tap, &request);
	EXPECT(result, request.ifr_name[0]);
	EXPECT(result, request.ifr_flags == flags);
	snprintf(owner, sizeof(owner), "%u", call->user->uid);
	snprintf(alias, sizeof(alias), "tapgate uid=%u net=%s vmm=%d", call->user->uid, network, (int)getpid());
	snprintf(path, sizeof(path), "%s/%s/master", sys, request.ifr_name);
	(void)!readlink(path, master, sizeof(master) - 1);
	slash = strrchr(master, '/');
	EXPECT(result, bridge ? slash && strcmp(slash + 1, bridge) == 0 : !slash);
	EXPECT(result, bridge || strncmp(request.ifr_name, network, strlen(network)) == 0);
	EXPECT(result, strcmp(first_line("%s/%s/ifalias", sys, request.ifr_name), alias) == 0);
	EXPECT(result, strcmp(first_line("%s/%s/owner", sys, request.ifr_name), owner) == 0);
	EXPECT(result, strcmp(first_line("%s/%s/group", sys, request.ifr_name), "-1") == 0);
	EXPECT(result, strncmp(first_line("%s/%s/address", sys, request.ifr_name), "fe:", 3) == 0);
	mtu = bridge ? strtoul(first_line("%s/%s/mtu", sys, bridge), NULL, 10) : 0;
	EXPECT(result, !mtu || strtoul(first_line("%s/%s/mtu", sys, request.ifr_name), NULL, 10) ==
				       (mtu < TAP_MTU ? mtu : TAP_MTU));
	EXPECT(result, strtoul(first_line("%s/%s/flags", sys, request.ifr_name), NULL, 16) & IFF_UP);
	EXPECT(result, *addresses_on(request.ifr_name) == '\0' || !bridge);
	mode = first_line("/proc/sys/net/ipv6/conf/%s/addr_gen_mode", request.ifr_name);
	EXPECT(result, !*mode || strcmp(mode, "1") == 0); /* IN6_ADDR_GEN_MODE_NONE, or no IPv6 there */
}

#define PLAIN  "[^\"\\[:cntrl:]\x80-\xff]"
#define QUOTED "\"(" PLAIN "|\\\\x[0-9a-f][0-9a-f])*\""

/* One line of the log, as tapgate-helper(8) has it: these fields in this order, and nothing that is no field. */
static void assert_log_line(const struct result *result, const char *line, int priority, const char *what)
{
	char expected[1024], one[4096];
	regex_t pattern;

	snprintf(expected, sizeof(expected),
		"^<%d>tapgate-helper\\[[1-9][0-9]*\\]: %s uid=%u( way=socket)?( net=[-A-Za-z0-9._+@]+)?( vmm=[1-9][0-9]*)?"
		"( tap=[-A-Za-z0-9._+@]+| code=[1-5])( rule=" QUOTED ")?( why=" QUOTED ")?$",
		priority, what, result->call.user->uid);
	snprintf(one, sizeof(one), "%.*s", (int)strcspn(line, "\n"), line);
	assert_int_equal(regcomp(&pattern, expected, REG_EXTENDED | REG_NOSUB), 0);
	EXPECT(result, regexec(&pattern, one, 0, NULL, 0) == 0);
	regfree(&pattern);
}

void assert_granted(const struct result *result, const char *bridge)
{
	char words[128];
	struct ifreq request;

	EXPECT(result, result->code == 0);
	EXPECT(result, result->bytes == 1);
	EXPECT(result, result->fds == 1);
	EXPECT(result, result->errors_size == 0);
	assert_tap(result, bridge);
	name_of_tap(result->tap, &request);
	assert_log_line(result, result->log, 86, "granted"); /* authpriv, info */
	snprintf(words, sizeof(words), " net=%s vmm=%d tap=%s rule=\"/etc/", asked_network(&result->call),
		(int)getpid(), request.ifr_name);
	EXPECT(result, strstr(result->log, words));
	EXPECT(result, strchr(result->log, '\n')[1] == '\0'); /* one line */
}

void assert_nothing_sent(const struct result *result, int code)
{
	EXPECT(result, result->code == code);
	EXPECT(result, result->bytes == 0);
	EXPECT(result, result->fds == 0);
}

void assert_refused(const struct result *result, int code, const char *words)
{
	static const char ident[] = "tapgate-helper: ";
	const char *text = result->errors, *line = result->log;
	char number[32];

	assert_nothing_sent(result, code);
	EXPECT(result, strncmp(text, ident, strlen(ident)) == 0);
	EXPECT(result, result->errors_size > strlen(ident) + 10 && text[result->errors_size - 1] == '\n');
	for (size_t i = 0; i < result->errors_size - 1; i++)
		EXPECT(result, text[i] >= ' ' && text[i] <= '~');
	if (!strstr(text, words))
		complain(result, __FILE__, __LINE__, "the message lacks these words: %s", words);
	/* A grant is logged before the descriptor is sent; when that fails, a refusal follows. */
	if (strstr(line, ": granted ") && strchr(line, '\n'))
		line = strchr(line, '\n') + 1;
	assert_log_line(result, line, 85, "refused"); /* authpriv, notice */
	snprintf(number, sizeof(number), " code=%d ", code);
	EXPECT(result, strstr(line, number));
	EXPECT(result, strchr(line, '\n') && strchr(line, '\n')[1] == '\0');
}

const char *tap_of(const struct result *result)
{
	static struct ifreq request;

	name_of_tap(result->tap, &request);
	return request.ifr_name;
}

/* By its index: a name may be another's at once. */
void give_back(struct result *result)
{
	struct ifreq request;
	char index[16];

	name_of_tap(result->tap, &request);
	snprintf(index, sizeof(index), "%s", first_line("/sys/class/net/%s/ifindex", request.ifr_name));
	EXPECT(result, request.ifr_name[0] && index[0]);
	close(result->tap);
	result->tap = -1;
	EXPECT(result, strcmp(first_line("/sys/class/net/%s/ifindex", request.ifr_name), index) != 0);
}

struct result hold(const struct call *call, const char *bridge)
{
	struct result result = run(call);

	assert_granted(&result, bridge);
	return result;
}

void expect_grant(const struct call *call, const char *bridge)
{
	char *before = snapshot();
	struct result result = hold(call, bridge);

	give_back(&result);
	assert_unchanged(before);
}

void expect_refusal(const struct call *call, int code, const char *words)
{
	char *before = snapshot();
	struct result result = run(call);

	assert_refused(&result, code, words);
	assert_unchanged(before);
}

bool expect_all_or_nothing(const struct call *call, const char *bridge)
{
	char *before = snapshot();
	struct result result = run(call);
	bool granted = result.code == 0;

	if (granted) {
		assert_granted(&result, bridge);
		give_back(&result);
	} else {
		assert_nothing_sent(&result, result.code);
		EXPECT(&result, !WCOREDUMP(result.status));
		print_message("%s: code %d: %s\n", call->about, result.code, result.errors);
	}
	assert_unchanged(before);
	return granted;
}
