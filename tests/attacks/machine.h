// SPDX-License-Identifier: MIT
/*
 * Virtual machines that guests are with BY_GUEST=1 (tests/common/world): QEMU has the tap then, and a machine that has
 * booted sends by its network card what the test has it send (tests/guest/relay.c), which it hears by a second card;
 * and the other way round.
 *
 *	host --- tap --- QEMU: hub --- eth0 --- relay --- eth1 --- a socket --- the test
 *
 * A machine boots when it is first needed, and serves all tests of the program: it is plugged from tap to tap.
 */
#ifndef TESTS_ATTACKS_MACHINE_H
#define TESTS_ATTACKS_MACHINE_H

#include <stdbool.h>
#include <sys/types.h>

bool by_guest(void);

/* A machine for a tap, whose descriptor stays the test's, to ask what it is called; and whether it has one. */
void plug(int tap);
bool is_plugged(int tap);
void unplug(int tap);
void unplug_all(void);

/*
 * As write(2) and read(2) to the tap: once the machine has sent what it was given, the host's kernel has the frames;
 * and what had come out of the tap when drain was called is there to be read.
 */
ssize_t give_to_machine(int tap, const void *bytes, size_t size);
void wait_for_machine(int tap);
void drain(int tap);
ssize_t machine_reads(int tap, void *bytes, size_t size);

#endif
