/* Changes of nftables' rules, by libnftables (libnftables(3)): a text is one transaction, all of it or nothing. */
#ifndef CLI_NETWORKS_RULES_H
#define CLI_NETWORKS_RULES_H

#include "cli/session.h"

/*
 * Connect; false: said why. Again after whatever failed, since answers that nobody has read would be taken for those to
 * the next question.
 */
bool rules_open(struct session *session);

/* Run commands in nft's language (nft(8)). False: said why, with `what` it was for. */
bool rules_run(struct session *session, const char *network, const char *commands, const char *what);

/* What a command prints, from malloc; NULL if it fails, and nothing is said of that. */
char *rules_ask(struct session *session, const char *command);

#endif
