/* The numbers that the helper's descriptors have once it has sorted them; the seccomp filters name them too. */
#ifndef HELPER_DESCRIPTORS_H
#define HELPER_DESCRIPTORS_H

enum {
	FD_ERROR = 2, /* standard error */
	FD_PEER = 3,  /* the socket that the descriptor goes out by */
	FD_LOG = 4,   /* syslog */
	FD_TAP = 5,
	FD_OTHERS = 6, /* the first of no fixed use */
};

#endif
