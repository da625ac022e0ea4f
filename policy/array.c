#include "policy/array.h"

#include <stdlib.h>

void *array_room(void *array, size_t count, size_t *room, size_t size)
{
	if (count == *room) {
		size_t more = *room ? *room * 4 : 1024;

		array = reallocarray(array, more, size);
		if (array)
			*room = more;
	}
	return array;
}
