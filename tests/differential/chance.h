// SPDX-License-Identifier: MIT
/*
 * For compare.c and verdicts.c: chance that is the same for the same seed, and the end of a program that cannot go on.
 * What they make of it, which policies and for whom, is each one's own.
 */
#ifndef TESTS_DIFFERENTIAL_CHANCE_H
#define TESTS_DIFFERENTIAL_CHANCE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

static void fail(const char *what)
{
	perror(what);
	exit(2);
}

static uint64_t state; /* never 0 */

/* xorshift64* (Vigna, 2016): the same everywhere for the same seed. */
static unsigned int below(unsigned int limit)
{
	state ^= state >> 12;
	state ^= state << 25;
	state ^= state >> 27;
	return (unsigned int)((state * 0x2545F4914F6CDD1DULL) >> 33) % limit;
}

static bool chance(unsigned int in)
{
	return below(in) == 0;
}

/* Must be called first. */
static void begin_chance(const char *seed)
{
	state = strtoull(seed, NULL, 10) * 2 + 1;
}

#endif
