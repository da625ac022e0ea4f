/* Landlock (landlock(7)): what of the file system is left. */
#ifndef HELPER_LANDLOCK_H
#define HELPER_LANDLOCK_H

#include "files/outcome.h"

/* Files may be read, /dev/net/tun read and written; all else that this kernel's Landlock knows is refused. True without
 * it.
 */
bool landlock_enter(struct outcome *outcome);

#endif
