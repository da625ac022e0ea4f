#include "cli/networks/rules.h"

#include <nftables/libnftables.h>
#include <string.h>

#include "cli/say.h"

/* The first line of libnftables' errors, without the place, which is in a text that nobody sees. */
static void say_why(struct session *session, const char *network, const char *what)
{
	const char *text = nft_ctx_get_error_buffer(session->nft), *mark = text ? strstr(text, "Error: ") : NULL;

	if (mark)
		text = mark + strlen("Error: ");
	say_error("%s: cannot %s: %.*s", network, what, text ? (int)strcspn(text, "\n") : 0, text ? text : "");
}

bool rules_open(struct session *session)
{
	if (session->nft)
		nft_ctx_free(session->nft);
	session->nft = nft_ctx_new(NFT_CTX_DEFAULT);
	return (session->nft && !nft_ctx_buffer_output(session->nft) && !nft_ctx_buffer_error(session->nft)) ||
	       say_error("cannot use libnftables: out of memory");
}

bool rules_run(struct session *session, const char *network, const char *commands, const char *what)
{
	if (nft_run_cmd_from_buffer(session->nft, commands) == 0)
		return true;
	say_why(session, network, what);
	rules_open(session);
	return false;
}

char *rules_ask(struct session *session, const char *command)
{
	if (nft_run_cmd_from_buffer(session->nft, command) != 0) {
		rules_open(session);
		return NULL;
	}
	return strdup(nft_ctx_get_output_buffer(session->nft));
}
