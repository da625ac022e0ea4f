/* Arrays that grow. */
#ifndef POLICY_ARRAY_H
#define POLICY_ARRAY_H

#include <stddef.h>

/*
 * Room for one more element, not set, at the end of an array that grows fourfold: the array, moved if need be, or NULL
 * when memory ran out (the old array then still stands). Room that is not used costs nothing: no page of it is touched.
 */
void *array_room(void *array, size_t count, size_t *room, size_t size);

#endif
