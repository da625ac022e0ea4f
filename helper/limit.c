/*
 * A tap under a limit begins as a candidate ("tapgate? uid=...") and, when it is within the limit, is settled ("tapgate
 * uid=..."), in the request that brings it up. With s settled taps and the candidates ranked by interface index, a
 * candidate that has written its alias and then counts
 *
 *	settles   if all taps, settled and candidates, are at most max;
 *	withdraws if s plus its own rank is more than max;
 *	waits     else: candidates behind it are about to withdraw. It counts again, for a bounded time.
 *
 * Never more than max: of any set of candidates that all settle, the one that wrote its alias last counted all the
 * others, in one form or the other, and found no more than max. Never fewer while as many ask: the withdrawn one with
 * the lowest index saw max settled taps and candidates before it, and of these none has withdrawn. (A helper that is
 * killed takes its candidate with it; one that is stopped delays only its own user's next taps on that network.)
 */
#include "helper/limit.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum {
	PATIENCE = 10,	      /* seconds to count again for: long for a machine that is busy with hundreds of helpers */
	FIRST_PAUSE = 500000, /* nanoseconds between counts, doubled each time */
	LAST_PAUSE = 32000000,
};

static void write_alias(const struct claim *claim, const char *state, char alias[static IFALIASZ])
{
	snprintf(alias, IFALIASZ, "%s uid=%u net=%s vmm=%d", state, claim->uid, claim->network, (int)claim->vmm);
}

void limit_first_alias(const struct claim *claim, char alias[static IFALIASZ])
{
	write_alias(claim, claim->max ? "tapgate?" : "tapgate", alias);
}

void limit_last_alias(const struct claim *claim, char alias[static IFALIASZ])
{
	write_alias(claim, "tapgate", alias);
}

/* One count of a user's taps on a network. */
struct count {
	char settled_prefix[IFALIASZ], candidate_prefix[IFALIASZ];
	int own; /* index of the tap that counts */
	uint32_t settled, candidates, rank;
};

static bool begins(const char *text, const char *prefix)
{
	return strncmp(text, prefix, strlen(prefix)) == 0;
}

static void count_tap(void *context, const struct link_interface *tap)
{
	struct count *count = context;

	if (begins(tap->alias, count->settled_prefix)) {
		count->settled++;
	} else if (begins(tap->alias, count->candidate_prefix)) {
		count->candidates++;
		if (tap->index <= count->own)
			count->rank++;
	}
}

/* "tapgate uid=1000 net=lab ": the space at its end keeps net=lab apart from net=lab2. */
static void write_prefixes(const struct claim *claim, struct count *count)
{
	snprintf(count->settled_prefix, IFALIASZ, "tapgate uid=%u net=%s ", claim->uid, claim->network);
	snprintf(count->candidate_prefix, IFALIASZ, "tapgate? uid=%u net=%s ", claim->uid, claim->network);
}

static bool time_is_left(const struct timespec *start)
{
	struct timespec now;

	return clock_gettime(CLOCK_MONOTONIC, &now) == 0 && now.tv_sec - start->tv_sec < PATIENCE;
}

/* What a count says: EXIT_SENT to settle, EXIT_LIMIT to withdraw, -1 to count again. */
static int judge(const struct count *count, uint32_t max)
{
	if (count->settled + count->candidates <= max)
		return EXIT_SENT;
	return count->settled + count->rank > max ? EXIT_LIMIT : -1;
}

bool limit_keep(struct link *link, const struct claim *claim, int tap, struct outcome *outcome)
{
	struct timespec start, pause = {.tv_nsec = FIRST_PAUSE};
	struct count count = {.own = tap};
	int verdict = -1;
	bool counted = false;

	if (!claim->max)
		return true;
	if (clock_gettime(CLOCK_MONOTONIC, &start) < 0)
		return refuse_errno(outcome, errno, "cannot read the clock");
	write_prefixes(claim, &count);
	while (verdict < 0 && time_is_left(&start)) {
		count.settled = count.candidates = count.rank = 0;
		int error = link_each_tap(link, count_tap, &count);

		if (error && error != -EAGAIN)
			return refuse_errno(outcome, error, "cannot count the taps on '%s'", claim->network);
		if (!error) { /* a set that changed while it was listed says nothing */
			counted = true;
			verdict = judge(&count, claim->max);
		}
		if (verdict < 0)
			nanosleep(&pause, NULL);
		if (pause.tv_nsec < LAST_PAUSE)
			pause.tv_nsec *= 2;
	}
	if (verdict == EXIT_SENT)
		return true;
	if (!counted)
		return refuse(outcome, EXIT_SYSTEM,
			"cannot tell in time whether uid %u may have one more tap on '%s' by %s; try again", claim->uid,
			claim->network, claim->rule);
	return refuse(outcome, EXIT_LIMIT,
		"uid %u has reached max=%u on '%s', by %s; end a virtual machine first, or have the limit raised",
		claim->uid, claim->max, claim->network, claim->rule);
}
