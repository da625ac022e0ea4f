/*
 * tapgate-helper: hand an unprivileged caller a tap on a network that the policy allows it.
 *
 * Setuid root. Each step below is named for what it guarantees, and the next relies on it; the first that fails ends
 * the work, with the reason in `outcome`. What happens with which privileges is to be seen here and nowhere else: steps
 * are added to this list, not into one another.
 */
#include <unistd.h>

#include "files/permit.h"
#include "helper/lock.h"
#include "helper/network.h"
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
	struct policy_caller caller = {.uid = getuid()};
	struct request request = {.fd = -1};
	struct permit permit = {.options = {0}};
	struct network network = {.link = NULL};
	struct port port = {.tap = 0};
	bool had_no_new_privs = false;
	pid_t vmm = 0;

	bool granted =
		state_close_to_others(&had_no_new_privs, &outcome) &&		  /* nobody reads or traces us */
		state_make_known(&outcome) &&					  /* nothing inherited is trusted */
		privileges_keep_net_admin(&caller, had_no_new_privs, &outcome) && /* nor can we become root */
		sandbox_for_work(&outcome) &&					  /* or more than the rest takes */
		request_parse(argc, argv, &request, &outcome) &&		  /* well-formed words */
		peer_take(request.fd, caller.uid, &vmm, &outcome) &&		  /* a socket of the caller's */
		permit_request(request.network, request.queues, &caller, &permit, &outcome) && /* root says yes */
		lock_allows(&request, &permit, caller.uid, &outcome) &&
		network_find(&permit, &network, &outcome) &&				  /* it is there, and guarded */
		port_make(&request, &permit, &network, caller.uid, vmm, &port, &outcome); /* up, as it was allowed */

	network_close(&network);
	const struct asker asker = {.uid = caller.uid, .vmm = vmm, .helper = getpid()};
	privileges_drop_all();
	report_open_log();
	sandbox_for_sending(granted ? port.queues : 0);

	if (granted) {
		report_grant(&asker, &request, &permit, &port);
		granted = peer_send_taps(port.queues, &outcome);
		if (!granted)
			port_undo(&port);
	}
	if (!granted)
		report_refusal(&asker, &request, &permit, &outcome);
	return granted ? EXIT_SENT : outcome.code ? (int)outcome.code : EXIT_SYSTEM;
}
