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
	const char *alias = interface->alias;
	char again[IFALIASZ], *end;
	const char *mark;

	if (strcmp(interface->kind, "tun") != 0 || strncmp(alias, ALIAS_TAP, strlen(ALIAS_TAP)) != 0)
		return false;
	*tap = (struct alias_tap){.uid = (uint32_t)strtoul(alias + strlen(ALIAS_TAP), &end, 10)};
	mark = strstr(end, " vmm=");
	if (strncmp(end, " net=", 5) != 0 || !mark || mark < end + 5 || mark - end - 5 >= (int)sizeof(tap->network))
		return false;
	memcpy(tap->network, end + 5, (size_t)(mark - end - 5));
	tap->vmm = (int)strtol(mark + 5, NULL, 10);
	alias_of_tap(tap, again);
	return strcmp(alias, again) == 0;
}

bool alias_is_missing(const struct link_interface *interface)
{
	return strcmp(interface->kind, "tun") == 0 && !interface->alias[0] && interface->index >= ALIAS_INDEXES;
}
