// SPDX-License-Identifier: MIT
/*
 * tapgate-helper: hand an unprivileged caller a tap on a network that the policy allows it.
 *
 * Setuid root. Each step below is named for what it guarantees, and the next relies on it; the first that fails ends
 * the work, with the reason in `outcome`. What happens with which privileges is to be seen here and nowhere else: steps
 * are added to this list, not into one another.
 */
#include "helper/helper.h"

#include <unistd.h>

/* The last word: to the log, to whoever asked, and to who waits for this process; with no privilege left. */
static int end(const struct order *order, const struct port *port, bool granted, const struct outcome *outcome)
{
	const int code = granted ? EXIT_SENT : outcome->code ? (int)outcome->code : EXIT_SYSTEM;

	if (!granted) {
		port_undo(port);
		report_refusal(order, outcome);
	}
	if (order->served)
		service_answer(code);
	return code;
}

int main(int argc, char **argv)
{
	struct outcome outcome = {.code = EXIT_SENT};
	struct order order = {.caller.uid = getuid(), .helper = getpid(), .request.fd = -1, .log = -1};
	struct network network = {.link = NULL};
	struct port port = {.tap = 0};
	bool had_no_new_privs = false;
	const bool serves = service_is_asked(argc, argv);
	int code;

	order.incapable = !privileges_has_net_admin();
	bool granted = state_close_to_others(&had_no_new_privs, &outcome) && /* nobody reads or traces us */
		       state_make_known(&outcome) &&			     /* nothing inherited is trusted */
		       report_open_log(&order, &outcome) &&		     /* what comes of it is logged */
		       state_end_soon(&outcome) &&			     /* it ends, stopped or not */
		       (!serves || service_take_peer(&order, &outcome)) &&   /* as if who connected had started us */
		       privileges_keep_net_admin(&order, had_no_new_privs, &outcome) && /* nor can we become root */
		       sandbox_for_work(&outcome) &&			       /* or more than the rest takes */
		       (!serves || service_receive(&argc, &argv, &outcome)) && /* a request, whole */
		       request_parse(argc, argv, &order.request, &outcome) &&  /* well-formed words */
		       peer_keep(&order, &outcome) &&			       /* nothing inherited but a socket */
		       (serves || peer_take(&order, &outcome)) &&	       /* which is the caller's */
		       port_open(&order, &port) &&			       /* all that is ever written */
		       sandbox_for_reading(&outcome) &&			       /* indeed */
		       permit_request(order.request.network, order.request.queues, &order.caller, &order.permit,
			       &outcome) &&				     /* root says yes */
		       (!serves || service_take_socket(&order, &outcome)) && /* then only, and the caller's own */
		       lock_allows(&order, &outcome) &&			     /* to the address, too */
		       network_find(&order.permit, &network, &outcome) &&    /* it is there, and guarded */
		       port_make(&order, &network, &port, &outcome);	     /* up, as it was allowed */

	network_close(&network);
	privileges_drop_all();
	if (order.incapable && !serves && service_ask(argc, argv, &order, &outcome, &code))
		return code; /* by one that has the capability */
	granted = sandbox_for_sending(order.log, granted ? port.queues : 0, &outcome) && granted &&
		  report_grant(&order, &port, &outcome) && peer_send_taps(port.queues, &outcome);
	return end(&order, &port, granted, &outcome);
}
