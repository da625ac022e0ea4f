#include "link/alias.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void alias_of_bridge(const char *network, const char *mode, char alias[static IFALIASZ])
{
	snprintf(alias, IFALIASZ, ALIAS_BRIDGE "%.15s mode=%.15s", network, mode);
}

void alias_of_tap(const struct alias_tap *tap, char alias[static IFALIASZ])
{
	snprintf(alias, IFALIASZ, ALIAS_TAP "%u net=%.15s vmm=%d", tap->uid, tap->network, tap->vmm);
}

bool alias_is_bridge(const struct link_interface *interface)
{
	return strcmp(interface->kind, "bridge") == 0 &&
	       strncmp(interface->alias, ALIAS_BRIDGE, strlen(ALIAS_BRIDGE)) == 0;
}

/* Believed only if writing what was read gives the same alias. */
bool alias_read_tap(const struct link_interface *interface, struct alias_tap *tap)
{
	const char *alias = interface->alias, *network = strstr(alias, " net="), *vmm = strstr(alias, " vmm=");
	char again[IFALIASZ];

	if (strcmp(interface->kind, "tun") != 0 || strncmp(alias, ALIAS_TAP, strlen(ALIAS_TAP)) != 0 || !network ||
		!vmm)
		return false;
	*tap = (struct alias_tap){.uid = (uint32_t)strtoul(alias + strlen(ALIAS_TAP), NULL, 10),
		.vmm = (int)strtol(vmm + strlen(" vmm="), NULL, 10)};
	network += strlen(" net=");
	snprintf(tap->network, sizeof(tap->network), "%.*s", (int)(vmm - network), network);
	alias_of_tap(tap, again);
	return strcmp(alias, again) == 0;
}

bool alias_is_missing(const struct link_interface *interface)
{
	return strcmp(interface->kind, "tun") == 0 && !interface->alias[0] && interface->index >= ALIAS_INDEXES;
}
