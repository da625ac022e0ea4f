// SPDX-License-Identifier: MIT
/* Changes of nftables' rules, by libnftables (libnftables(3)): a text is one transaction, all of it or nothing. */
#include "tool/tool.h"

#include <errno.h>
#include <jansson.h>
#include <nftables/libnftables.h>
#include <string.h>

#include "policy/kernel.h"

/*
 * The first line of libnftables' errors, without the place, which is in a text that nobody sees. What the kernel is too
 * old for nft says in general words alone.
 */
static void say_why(struct session *session, const char *network, const char *commands, const char *what)
{
	const char *text = nft_ctx_get_error_buffer(session->nft), *mark = text ? strstr(text, "Error: ") : NULL;

	if (mark)
		text = mark + strlen("Error: ");
	if (text && strstr(text, strerror(EOPNOTSUPP)) && strstr(commands, "hook egress"))
		text = "this kernel's nftables has no egress hook, which takes Linux " LINUX_EGRESS " or newer";
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
	say_why(session, network, commands, what);
	rules_open(session);
	return false;
}

bool rules_try(struct session *session, const char *commands)
{
	if (nft_run_cmd_from_buffer(session->nft, commands) == 0)
		return true;
	rules_open(session);
	return false;
}

char *rules_show(struct session *session, const char *command)
{
	char *text = NULL;

	nft_ctx_output_set_flags(session->nft, NFT_CTX_OUTPUT_TERSE);
	if (nft_run_cmd_from_buffer(session->nft, command) == 0)
		text = strdup(nft_ctx_get_output_buffer(session->nft));
	nft_ctx_output_set_flags(session->nft, 0);
	if (!text)
		rules_open(session);
	return text;
}

json_t *rules_ask(struct session *session, const char *command)
{
	json_t *whole = NULL, *list;
	int error;

	nft_ctx_output_set_flags(session->nft, NFT_CTX_OUTPUT_JSON);
	error = nft_run_cmd_from_buffer(session->nft, command);
	if (!error)
		whole = json_loads(nft_ctx_get_output_buffer(session->nft), JSON_ALLOW_NUL, NULL);
	nft_ctx_output_set_flags(session->nft, 0);
	if (error)
		rules_open(session);
	list = json_incref(json_object_get(whole, "nftables"));
	json_decref(whole);
	return list;
}
