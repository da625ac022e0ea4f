/* Numbers that the helper and its seccomp filters share. */
#ifndef HELPER_DESCRIPTORS_H
#define HELPER_DESCRIPTORS_H

/* What its descriptors are once it has sorted them. */
enum {
	FD_ERROR = 2, /* standard error */
	FD_PEER = 3,  /* the socket that the descriptor goes out by */
	FD_LOG = 4,   /* the socket to syslog; not connected if that does not listen */
	/* The lowest that are free behind these, in the order in which they are opened. */
	FD_NETLINK = 5,
	FD_NFTABLES = 6,
	/* The tap, and its further queues behind it: a multiple of their number, so that a filter needs one mask. */
	FD_TAP = 16,
	FD_OTHERS = 32, /* the first of no fixed use */
};

/* What a filter answers when it is asked for a sign (prctl, PR_GET_SECCOMP): errno values that no kernel has. */
enum {
	SIGN_OF_WORK = 4001,
	SIGN_OF_READING = 4003,
	SIGN_OF_SENDING = 4002,
};

#endif
