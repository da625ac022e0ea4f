/* Numbers that the helper and its seccomp filters share. */
#ifndef HELPER_DESCRIPTORS_H
#define HELPER_DESCRIPTORS_H

/* What its descriptors are once it has sorted them. */
enum {
	FD_ERROR = 2, /* standard error */
	FD_PEER = 3,  /* the socket that the descriptor goes out by */
	FD_NETLINK =
		4, /* the lowest that is free when all but FD_PEER is closed, and free again when the log is opened */
	FD_LOG = 4,
	FD_TAP = 5,
	FD_OTHERS = 6, /* the first of no fixed use */
};

/* What a filter answers when it is asked for a sign (prctl, PR_GET_SECCOMP): errno values that no kernel has. */
enum {
	SIGN_OF_WORK = 4001,
	SIGN_OF_SENDING = 4002,
};

#endif
