/* A clock that nobody sets, for deadlines: the wall's may jump. */
#ifndef CLI_CLOCK_H
#define CLI_CLOCK_H

#include <stdint.h>
#include <time.h>

/* Milliseconds since some moment before the program began (CLOCK_MONOTONIC, clock_gettime(2)). */
static inline int64_t clock_milliseconds(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (int64_t)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

#endif
