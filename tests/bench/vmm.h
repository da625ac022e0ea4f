// SPDX-License-Identifier: MIT
/*
 * vmm: the virtual machine monitor's side of a tap helper's bargain, for the programs of this directory that launch
 * one: make a connected pair of sockets, take the descriptor that comes back, look at what is behind it.
 *
 * It must not judge: whether what came is good enough is for the program to say.
 */
#ifndef BENCH_VMM_H
#define BENCH_VMM_H

#include <err.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "tests/common/receive.h"

/* The number under which every helper is told to expect its end of the pair: the first free one. */
enum { HELPER_FD = 3 };

static inline int open_pair(void *pair)
{
	return socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair);
}

/*
 * A connected pair, of which the first end is ours and waits for half a minute at most. The helper sees as its peer
 * the process that made the pair: each is made by a process of its own, as if each helper had a machine of its own.
 */
static inline void make_pair(int pair[static 2])
{
	static char stack[64 * 1024] __attribute__((aligned(16)));
	const struct timeval patience = {.tv_sec = 30};
	pid_t pid = clone(open_pair, stack + sizeof(stack), CLONE_VM | CLONE_VFORK | CLONE_FILES | SIGCHLD, pair);
	int status = -1;

	if (pid < 0 || waitpid(pid, &status, 0) < 0 || status != 0 ||
		setsockopt(pair[0], SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) < 0)
		err(1, "socketpair");
}

/* Receive one message and the one descriptor in it: the descriptor, or -1 if anything else came (or nothing). */
static inline int receive_descriptor(int sock)
{
	const struct received received = receive_message(sock, 0);

	return received.bytes == 1 && received.count == 1 ? received.fds[0] : -1;
}

/* The name of the tap behind a descriptor, into name; -1 if there is none. */
static inline int tap_name(int fd, char name[static IFNAMSIZ])
{
	struct ifreq ifr = {0};

	if (ioctl(fd, TUNGETIFF, &ifr) < 0)
		return -1;
	memcpy(name, ifr.ifr_name, IFNAMSIZ);
	return 0;
}

#endif
