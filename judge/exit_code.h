// SPDX-License-Identifier: MIT
/* What the helper exits with, and tapgate as far as it fits; tests/documents/documents holds the manuals to it. */
#ifndef JUDGE_EXIT_CODE_H
#define JUDGE_EXIT_CODE_H

enum exit_code {
	EXIT_SENT = 0,	 /* the descriptor was sent; tapgate: done */
	EXIT_SYSTEM = 1, /* the system refused; tapgate: or something is not as it should be */
	EXIT_USAGE = 2,	 /* wrong arguments or descriptor */
	EXIT_DENIED = 3, /* denied by policy */
	EXIT_POLICY = 4, /* the policy is invalid or not to be trusted; tapgate: or in conflict with the host */
	EXIT_LIMIT = 5,	 /* over the limit */
};

#endif
