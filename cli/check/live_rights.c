/*
 * What any program that is started from here can have of privileges, whatever bits its file has: what units, containers
 * and namespaces take away.
 */
#include <linux/capability.h>
#include <linux/securebits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>

#include "cli/check/live.h"

enum { UNMAPPED = 65534 }; /* /proc/sys/kernel/overflowuid */

static bool lacks_root(void)
{
	FILE *file = fopen("/proc/self/uid_map", "re");
	char line[128];
	bool found = false, any = false;

	while (file && fgets(line, sizeof(line), file)) { /* first inside, first outside, how many */
		any = true;
		found |= strtoul(line, NULL, 10) == 0;
	}
	if (file)
		fclose(file);
	return any && !found;
}

bool live_is_roots(uid_t owner)
{
	return owner == 0 || (owner == UNMAPPED && lacks_root());
}

void live_rights(struct live *live, const char *helper, bool has_capability)
{
	int securebits = prctl(PR_GET_SECUREBITS, 0, 0, 0, 0);

	if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1)
		LIVE_ERROR(live, "no-new-privs",
			"what is started from here gets no privileges (no_new_privs is set, as by Flatpak, containers "
			"and some units), so %s does nothing; start virtual machines outside of it",
			helper);
	if (prctl(PR_CAPBSET_READ, CAP_NET_ADMIN, 0, 0, 0) == 0)
		LIVE_ERROR(live, "capabilities",
			"what is started from here cannot have CAP_NET_ADMIN, not even as root, so %s does nothing; in "
			"a unit: add CAP_NET_ADMIN to CapabilityBoundingSet=; in a container: add the capability "
			"(--cap-add NET_ADMIN)",
			helper);
	if (securebits > 0 && (securebits & SECBIT_NOROOT) && !has_capability)
		LIVE_ERROR(live, "securebits",
			"root's programs have no capabilities here (securebits noroot), so %s does nothing; in a unit: "
			"take noroot out of SecureBits=; or, instead of the setuid bit: setcap cap_net_admin=ep %s",
			helper, helper);
	if (lacks_root())
		LIVE_ERROR(live, "namespace",
			"this is a user namespace without root, where root's setuid bit has no effect, so %s does "
			"nothing; start virtual machines outside of it",
			helper);
}
