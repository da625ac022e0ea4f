// SPDX-License-Identifier: MIT
/* What `tapgate list` shows of a tap: a row of its table, a line, and JSON, which tapgate-json(7) promises. */
#include "cli/list/list.h"

#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { COLUMNS = 11 };

static const char *const heads[COLUMNS] = {
	"TAP", "NETWORK", "USER", "VMM", "GUEST", "NAME", "ADDRESS", "AGE", "SENT", "RECEIVED", ""};
enum { GUEST = 4, AFTER_ADDRESS = 7, RIGHT = 1 << 7 | 1 << 8 | 1 << 9 };

void list_user(uid_t uid, char text[static LIST_NAME_TEXT])
{
	const struct passwd *user = getpwuid(uid);

	*text = '\0';
	if (user)
		columns_append_name(text, LIST_NAME_TEXT, (struct word){user->pw_name, strlen(user->pw_name)});
	else
		text_append(text, LIST_NAME_TEXT, "%u", uid);
}

void list_name(const char *name, char text[static LIST_NAME_TEXT])
{
	*text = '\0';
	text_append_escaped(text, LIST_NAME_TEXT, (struct word){name, strlen(name)});
}

/* --- table -------------------------------------------------------------------------------------------------------- */

/* "0", "999", "1.2K", "34M": 1 K is 1024. */
static void add_bytes(struct columns *table, uint64_t bytes)
{
	static const char units[] = "KMGTPE";
	uint64_t tenths;
	size_t unit = 0;

	if (bytes < 1024) {
		columns_add(table, COLUMNS_PLAIN, "%u", (unsigned int)bytes);
		return;
	}
	for (tenths = bytes / 1024 * 10 + bytes % 1024 * 10 / 1024; tenths >= 10240; tenths /= 1024)
		unit++;
	if (tenths < 100)
		columns_add(table, COLUMNS_PLAIN, "%u.%u%c", (unsigned int)tenths / 10, (unsigned int)tenths % 10,
			units[unit]);
	else
		columns_add(table, COLUMNS_PLAIN, "%u%c", (unsigned int)tenths / 10, units[unit]);
}

static void add_age(struct columns *table, int64_t age)
{
	unsigned int seconds = (unsigned int)(age / 100);

	if (age < 0)
		columns_add(table, COLUMNS_PLAIN, "-");
	else if (seconds < 60)
		columns_add(table, COLUMNS_PLAIN, "%us", seconds);
	else if (seconds < 3600)
		columns_add(table, COLUMNS_PLAIN, "%um", seconds / 60);
	else if (seconds < 48 * 3600)
		columns_add(table, COLUMNS_PLAIN, "%uh", seconds / 3600);
	else
		columns_add(table, COLUMNS_PLAIN, "%ud", seconds / 86400);
}

/* The last column: what is wrong with a tap, and what to do about it. */
static void add_note(struct columns *table, const struct scene_tap *tap)
{
	const char *sudo = geteuid() != 0 && tap->alias.uid != getuid() ? "sudo " : "";

	if (tap->half_made)
		columns_add(table, COLUMNS_BAD, "half made: its helper is at work, or stands still and ends in 15 s");
	else if (tap->held == HOLDING_NO)
		columns_add(table, COLUMNS_BAD, "orphan: nobody holds it; try: %stapgate reap", sudo);
	else if (tap->held == HOLDING_UNKNOWN)
		columns_add(table, COLUMNS_BAD, "orphan, it seems: no carrier; try: %stapgate reap", sudo);
	else if (!tap->interface.master && tap->age < 0)
		columns_add(table, COLUMNS_BAD, "cut off: its bridge is gone; start the machine again");
	else if (tap->open)
		columns_add(table, COLUMNS_BAD, "open to the host; run: %stapgate up", geteuid() != 0 ? "sudo " : "");
	else if (tap->unkept)
		columns_add(table, COLUMNS_BAD, "%u guests more", tap->unkept);
	else
		columns_skip(table, 1);
}

/* The columns of a tap: add_tap those in front of the guest's, add_traffic those behind. */
static void add_tap(struct columns *table, const struct scene_tap *tap)
{
	char user[LIST_NAME_TEXT], program[LIST_NAME_TEXT];

	list_user(tap->alias.uid, user);
	list_name(tap->holder.name, program);
	columns_add(table, COLUMNS_PLAIN, "%s", tap->interface.name);
	columns_add(table, COLUMNS_PLAIN, "%s", tap->half_made ? "-" : tap->alias.network);
	columns_add(table, COLUMNS_PLAIN, "%s", user);
	if (tap->holder.pid)
		columns_add(table, COLUMNS_PLAIN, "%d %s", (int)tap->holder.pid, program);
	else
		columns_add(table, COLUMNS_PLAIN, "-");
}

static void add_traffic(struct columns *table, const struct scene_tap *tap)
{
	add_age(table, tap->age);
	add_bytes(table, tap->interface.received.bytes);
	add_bytes(table, tap->interface.sent.bytes);
	add_note(table, tap);
}

/* A link-local address is shown only if the guest has no other. */
static bool is_shown(const struct scene_guest *guest, size_t address)
{
	return address == 0 || !guest->addresses[address].zone;
}

/* The rows of a guest: one for each address. Only the first has its name, and for a tap's first guest the tap. */
static void add_guest(struct columns *table, const struct scene_tap *tap, const struct scene_guest *guest, bool first)
{
	char mac[MAC_TEXT] = "-", name[LIST_NAME_TEXT], address[SCENE_ADDRESS_TEXT];

	list_name(guest->name, name);
	if (guest->has_mac)
		mac_text(guest->mac, mac);
	for (size_t i = 0; i == 0 || i < guest->address_count; i++) {
		if (!is_shown(guest, i))
			continue;
		if (first && i == 0)
			add_tap(table, tap);
		else
			columns_skip(table, GUEST);
		columns_add(table, COLUMNS_PLAIN, "%s", i == 0 ? mac : "");
		columns_add(table, COLUMNS_PLAIN, "%s", i > 0 ? "" : *name ? name : "-");
		if (guest->address_count)
			scene_address_text(&guest->addresses[i], address);
		columns_add(table, COLUMNS_PLAIN, "%s", guest->address_count ? address : "-");
		if (first && i == 0)
			add_traffic(table, tap);
		else
			columns_skip(table, COLUMNS - AFTER_ADDRESS);
	}
}

struct columns list_table(const struct scene *scene, const struct words *words)
{
	static const struct scene_guest none = {.has_mac = false};
	struct columns table = {.width = COLUMNS, .right = RIGHT};

	for (size_t i = 0; i < COLUMNS; i++)
		columns_add(&table, COLUMNS_HEAD, "%s", heads[i]);
	for (size_t i = 0; i < scene->tap_count; i++) {
		const struct scene_tap *tap = &scene->taps[i];
		bool first = true;

		if (!words_name(words, tap->alias.network))
			continue;
		for (size_t j = 0; j < scene->guest_count; j++) {
			if (scene->guests[j].tap != tap->interface.index)
				continue;
			add_guest(&table, tap, &scene->guests[j], first);
			first = false;
		}
		if (first)
			add_guest(&table, tap, &none, true);
	}
	return table;
}

/* --- lines -------------------------------------------------------------------------------------------------------- */

/* A name as one word. Blanks in it are escaped, because a guest that chose "x user=root" would add a field. */
static void write_name(FILE *out, const char *label, const char *name)
{
	char text[LIST_NAME_TEXT];

	list_name(name, text);
	fputs(label, out);
	for (const char *at = text; *at; at++)
		fputs(*at == ' ' ? "\\x20" : (const char[]){*at, '\0'}, out);
}

static void write_guest(FILE *out, const struct scene_guest *guest)
{
	char mac[MAC_TEXT], address[SCENE_ADDRESS_TEXT];

	mac_text(guest->mac, mac);
	fprintf(out, " guest=%s", mac);
	for (size_t i = 0; i < guest->address_count; i++) {
		if (!is_shown(guest, i))
			continue;
		scene_address_text(&guest->addresses[i], address);
		fprintf(out, ",%s", address);
	}
	if (*guest->name)
		write_name(out, " name=", guest->name);
}

char *list_line(const struct scene *scene, const struct scene_tap *tap)
{
	char user[LIST_NAME_TEXT], *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	bool whole;

	if (!out)
		return NULL;
	list_user(tap->alias.uid, user);
	fprintf(out, "%s network=%s user=%s", tap->interface.name, tap->alias.network, user);
	if (tap->holder.pid) {
		fprintf(out, " vmm=%d", (int)tap->holder.pid);
		write_name(out, ":", tap->holder.name);
	}
	for (size_t i = 0; i < scene->guest_count; i++) {
		if (scene->guests[i].tap == tap->interface.index)
			write_guest(out, &scene->guests[i]);
	}
	if (tap->held != HOLDING_YES)
		fputs(tap->held == HOLDING_NO ? " orphan" : " orphan?", out);
	whole = !ferror(out);
	if (fclose(out) == 0 && whole)
		return text;
	free(text);
	return NULL;
}

/* --- JSON --------------------------------------------------------------------------------------------------------- */

/* For programs, of `tapgate list` and `tapgate ip`; tapgate-json(7) promises what stands here. */

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
