#include "link/alias.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void alias_of_bridge(const char *network, const char *mode, char alias[static IFALIASZ])
{
	snprintf(alias, IFALIASZ, ALIAS_BRIDGE "%.15s mode=%.15s", network, mode);
}

void alias_of_tap(const char *begin, const struct alias_tap *tap, char alias[static IFALIASZ])
{
	snprintf(alias, IFALIASZ, "%.15s%u net=%.15s vmm=%d", begin, tap->uid, tap->network, tap->vmm);
}

bool alias_is_bridge(const struct link_interface *interface)
{
	return strcmp(interface->kind, "bridge") == 0 &&
	       strncmp(interface->alias, ALIAS_BRIDGE, strlen(ALIAS_BRIDGE)) == 0;
}

/* Read what a beginning says, and believe it only if writing it gives the same alias. */
static bool read_as(const char *begin, const char *alias, struct alias_tap *tap)
{
	char again[IFALIASZ], *end;
	const char *mark;

	if (strncmp(alias, begin, strlen(begin)) != 0)
		return false;
	*tap = (struct alias_tap){.uid = (uint32_t)strtoul(alias + strlen(begin), &end, 10)};
	tap->before = strcmp(begin, ALIAS_TAP_BEFORE) == 0;
	mark = strstr(end, " vmm=");
	if (strncmp(end, " net=", 5) != 0 || !mark || mark < end + 5 || mark - end - 5 >= (int)sizeof(tap->network))
		return false;
	memcpy(tap->network, end + 5, (size_t)(mark - end - 5));
	tap->vmm = (int)strtol(mark + 5, NULL, 10);
	alias_of_tap(begin, tap, again);
	return strcmp(alias, again) == 0;
}

bool alias_read_tap(const struct link_interface *interface, struct alias_tap *tap)
{
	return strcmp(interface->kind, "tun") == 0 &&
	       (read_as(ALIAS_TAP, interface->alias, tap) || read_as(ALIAS_TAP_BEFORE, interface->alias, tap));
}
