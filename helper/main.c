/*
 * tapgate-helper: hand an unprivileged caller a tap on a network that the policy allows it.
 *
 * Setuid root. Each step below is named for what it guarantees, and the next relies on it; the first that fails ends
 * the work, with the reason in `outcome`. What happens with which privileges is to be seen here and nowhere else: steps
 * are added to this list, not into one another.
 */
#include <unistd.h>

#include "helper/lock.h"
#include "helper/network.h"
#include "helper/order.h"
#include "helper/peer.h"
#include "helper/port.h"
#include "helper/privileges.h"
#include "helper/report.h"
#include "helper/request.h"
#include "helper/sandbox.h"
#include "helper/state.h"

int main(int argc, char **argv)
{
	struct outcome outcome = {.code = EXIT_SENT};
	struct order order = {.caller.uid = getuid(), .helper = getpid(), .request.fd = -1, .log = -1};
	struct network network = {.link = NULL};
	struct port port = {.tap = 0};
	bool had_no_new_privs = false;

	bool granted =
		state_close_to_others(&had_no_new_privs, &outcome) && /* nobody reads or traces us */
		state_make_known(&outcome) &&			      /* nothing inherited is trusted */
		report_open_log(&order, &outcome) &&		      /* what comes of it is logged */
		state_end_soon(&outcome) &&			      /* it ends, stopped or not */
		privileges_keep_net_admin(&order.caller, had_no_new_privs, &outcome) && /* nor can we become root */
		sandbox_for_work(&outcome) &&			       /* or more than the rest takes */
		request_parse(argc, argv, &order.request, &outcome) && /* well-formed words */
		peer_take(&order, &outcome) &&			       /* a socket of the caller's */
		port_open(&order, &port) &&			       /* all that is ever written */
		sandbox_for_reading(&outcome) &&		       /* indeed */
		permit_request(order.request.network, order.request.queues, &order.caller, &order.permit,
			&outcome) &&				   /* root says yes */
		lock_allows(&order, &outcome) &&		   /* to the address, too */
		network_find(&order.permit, &network, &outcome) && /* it is there, and guarded */
		port_make(&order, &network, &port, &outcome);	   /* up, as it was allowed */

	network_close(&network);
	privileges_drop_all();
	granted = sandbox_for_sending(order.log, granted ? port.queues : 0, &outcome) && granted &&
		  report_grant(&order, &port, &outcome) && peer_send_taps(port.queues, &outcome);
	if (!granted) {
		port_undo(&port);
		report_refusal(&order, &outcome);
	}
	return granted ? EXIT_SENT : outcome.code ? (int)outcome.code : EXIT_SYSTEM;
}
