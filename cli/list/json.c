// SPDX-License-Identifier: MIT
/* `tapgate list` and `tapgate ip` for programs; tapgate-json(7) promises what stands here. */
#include "cli/list/list.h"

#include <string.h>

void list_time(time_t time, char text[static LIST_TIME_TEXT])
{
	struct tm parts;

	*text = '\0';
	if (gmtime_r(&time, &parts))
		strftime(text, LIST_TIME_TEXT, "%Y-%m-%dT%H:%M:%SZ", &parts);
}

/* A name as text, escaped as in the table, since it may be no UTF-8; null if there is none. */
static json_t *name_of(const char *name)
{
	char text[LIST_NAME_TEXT];

	list_name(name, text);
	return *text ? json_string(text) : json_null();
}

json_t *list_json_guest(const struct scene_guest *guest)
{
	json_t *addresses = json_array();
	char mac[MAC_TEXT];

	mac_text(guest->mac, mac);
	for (size_t i = 0; i < guest->address_count; i++) {
		char text[SCENE_ADDRESS_TEXT];
		json_t *sources = json_array();

		scene_address_text(&guest->addresses[i], text);
		if (guest->addresses[i].leased)
			json_array_append_new(sources, json_string("lease"));
		if (guest->addresses[i].heard)
			json_array_append_new(sources, json_string("neighbour"));
		json_array_append_new(addresses, json_pack("{s:s, s:o}", "address", text, "sources", sources));
	}
	return json_pack("{s:s?, s:o, s:o, s:o}", "mac", guest->has_mac ? mac : NULL, "name", name_of(guest->name),
		"refused_name", name_of(guest->refused), "addresses", addresses);
}

static json_t *traffic_of(const struct link_traffic *traffic)
{
	return json_pack("{s:I, s:I}", "bytes", (json_int_t)traffic->bytes, "packets", (json_int_t)traffic->packets);
}

static json_t *holding_of(enum holding holding)
{
	return holding == HOLDING_UNKNOWN ? json_null() : json_boolean(holding == HOLDING_YES);
}

/* null, or what is known of the process. */
static json_t *process_of(const struct holder *holder)
{
	if (!holder->pid)
		return json_null();
	return json_pack("{s:i, s:o, s:o}", "pid", (int)holder->pid, "name", name_of(holder->name), "holds",
		holding_of(holder->holding));
}

json_t *list_json_tap(const struct scene *scene, const struct scene_tap *tap)
{
	char user[LIST_NAME_TEXT];
	json_t *guests = json_array();

	list_user(tap->alias.uid, user);
	for (size_t i = 0; i < scene->guest_count; i++) {
		if (scene->guests[i].tap == tap->interface.index)
			json_array_append_new(guests, list_json_guest(&scene->guests[i]));
	}
	return json_pack("{s:s, s:s?, s:b, s:o, s:s, s:i, s:o, s:o, s:o, s:b, s:b, s:o, s:o, s:o, s:i}", "interface",
		tap->interface.name, "network", tap->half_made ? NULL : tap->alias.network, "half_made", tap->half_made,
		"uid", json_integer(tap->alias.uid), "user", user, "vmm", tap->alias.vmm, "process",
		process_of(&tap->holder), "age", tap->age < 0 ? json_null() : json_integer(tap->age / 100), "held",
		holding_of(tap->held), "persistent", tap->interface.tun.persistent, "apart", !tap->open, "sent",
		traffic_of(&tap->interface.received), "received", traffic_of(&tap->interface.sent), "guests", guests,
		"more_guests", (int)tap->unkept);
}
