#include "cli/taps/claims.h"

#include <string.h>

#include "cli/networks/names.h"
#include "cli/say.h"

static void take_record(struct scene *scene, const char *network, const struct name_record *record)
{
	for (size_t i = 0; i < scene->guest_count; i++) {
		struct scene_guest *guest = &scene->guests[i];

		if (!guest->has_mac || memcmp(guest->mac, record->mac, MAC_BYTES) != 0 ||
			strcmp(guest->network, network) != 0)
			continue;
		guest->leased_behind = (int)record->port;
		if (record->kind == NAME_REFUSED)
			memcpy(guest->refused, record->name, sizeof(guest->refused));
	}
}

bool claims_read(struct scene *scene, const char *network)
{
	struct names names;
	bool read = names_read(network, &names);

	for (size_t i = 0; i < names.count; i++)
		take_record(scene, network, &names.records[i]);
	names_forget(&names);
	return read;
}

bool claims_are_two(const struct scene *scene, const struct scene_guest *guest)
{
	return guest->tap && guest->leased_behind && guest->leased_behind != guest->tap &&
	       scene_tap_at(scene, guest->tap) && scene_tap_at(scene, guest->leased_behind);
}

void claims_warn(const struct scene *scene, const struct scene_guest *guest)
{
	const struct scene_tap *tap = guest->tap ? scene_tap_at(scene, guest->tap) : NULL;
	char mac[MAC_TEXT];

	mac_text(guest->mac, mac);
	if (*guest->refused)
		say_warning(
			"the guest %s%s%s%s asks '%s' for the name '%s', which another guest had first; it has none",
			mac, tap ? " (" : "", tap ? tap->interface.name : "", tap ? ")" : "", guest->network,
			guest->refused);
	if (claims_are_two(scene, guest))
		say_warning("the hardware address %s is behind %s, and had its lease behind %s, which is still there: "
			    "two guests of '%s' use it; with lock-mac there can be one",
			mac, tap ? tap->interface.name : "", scene_tap_at(scene, guest->leased_behind)->interface.name,
			guest->network);
}
