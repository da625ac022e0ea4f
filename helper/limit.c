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

#include "link/alias.h"

enum {
	PATIENCE = 10,	      /* seconds to count again for: long for a machine that is busy with hundreds of helpers */
	FIRST_PAUSE = 500000, /* nanoseconds between counts, doubled each time */
	LAST_PAUSE = 32000000,
};

static void write_alias(const struct claim *claim, const char *begin, char alias[static IFALIASZ])
{
	struct alias_tap tap = {.uid = claim->uid, .vmm = (int)claim->vmm};

	snprintf(tap.network, sizeof(tap.network), "%s", claim->network);
	alias_of_tap(begin, &tap, alias);
}

void limit_first_alias(const struct claim *claim, char alias[static IFALIASZ])
{
	write_alias(claim, claim->max ? ALIAS_TAP_BEFORE : ALIAS_TAP, alias);
}

void limit_last_alias(const struct claim *claim, char alias[static IFALIASZ])
{
	write_alias(claim, ALIAS_TAP, alias);
}

/* One count of a user's taps on a network. */
struct count {
	const struct claim *claim;
	int own; /* index of the tap that counts */
	uint32_t settled, candidates, rank;
};

static void count_tap(void *context, const struct link_interface *tap)
{
	struct count *count = context;
	struct alias_tap alias;

	if (!alias_read_tap(tap, &alias) || alias.uid != count->claim->uid ||
		strcmp(alias.network, count->claim->network) != 0)
		return;
	if (!alias.before) {
		count->settled++;
	} else {
		count->candidates++;
		if (tap->index <= count->own)
			count->rank++;
	}
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
	struct count count = {.claim = claim, .own = tap};
	int verdict = -1;
	bool counted = false;

	if (!claim->max)
		return true;
	if (clock_gettime(CLOCK_MONOTONIC, &start) < 0)
		return refuse_errno(outcome, errno, "cannot read the clock");
	while (verdict < 0 && time_is_left(&start)) {
		count.settled = count.candidates = count.rank = 0;
		int error = link_each(link, "tun", count_tap, &count);

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
