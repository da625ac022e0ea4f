#include "cli/check/live.h"

#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "cli/load.h"

bool live_is_foreign(const struct policy *policy, const char *interface)
{
	const struct policy_network *network = load_find(policy, interface);

	if (network)
		return network->mode == MODE_BRIDGED;
	for (size_t i = 0; i < policy_rule_count(policy); i++) {
		const struct policy_rule rule = policy_rule(policy, i);

		if (rule.allow && strcmp(rule.network, interface) == 0)
			return true;
	}
	return false;
}

bool live_has(const char *interface, const char *file)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "/sys/class/net/%s/%s", interface, file);
	return access(path, F_OK) == 0;
}

void live_look(struct session *session, const struct policy *policy, struct findings *findings)
{
	struct live live = {.session = session, .policy = policy, .findings = findings};

	live_helper(&live);
	if (policy) {
		live_networks(&live);
		live_bridges(&live);
		live_firewall(&live);
	}
	if (live.hidden && geteuid() == 0 && !session->nft)
		findings_add_note(
			findings, "guards and firewalls are shown to nobody here, as CAP_NET_ADMIN is missing");
	else if (live.hidden)
		findings_add_note(findings, "guards, DHCP and firewalls are shown to root only; try: sudo tapgate "
					    "check --live");
}
