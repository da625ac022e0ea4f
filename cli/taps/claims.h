/*
 * What guests claim beyond what is theirs: a name that another guest of the network had first, a hardware address that
 * another one uses, too. Found out beside leases (cli/networks/names.h), told as warnings.
 */
#ifndef CLI_TAPS_CLAIMS_H
#define CLI_TAPS_CLAIMS_H

#include "cli/taps/scene.h"

/* Read what is written down of a network, into the guests of a scene that are on it. False: memory ran out. */
bool claims_read(struct scene *scene, const char *network);

/* Whether a guest has its lease behind one tap, and sends from behind another: two use one hardware address. */
bool claims_are_two(const struct scene *scene, const struct scene_guest *guest);

/* Warn of a guest on standard error, if there is something to warn of. */
void claims_warn(const struct scene *scene, const struct scene_guest *guest);

#endif
