// SPDX-License-Identifier: MIT
/*
 * Fuzz target: what others wrote and `tapgate list` shows: a line of dnsmasq's leases, and the same bytes as the name
 * of a user, which goes into a table of some width.
 *
 * Links: dhcp/leases.c tool/columns.c dhcp/words.c tool/file.c policy pkg:libnl-3.0
 */
#include <locale.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "dhcp/dhcp.h"
#include "tests/fuzz/fuzz.h"
#include "tool/tool.h"

enum { NOW = 1000000, ROOM = 96 };

static void check_lease(const char *text, size_t size)
{
	struct lease lease;

	if (!lease_read((struct word){text, size}, NOW, &lease))
		return;
	MUST(lease.family == AF_INET || lease.family == AF_INET6);
	MUST(!lease.has_mac || !(lease.mac[0] & 1));
	MUST(memchr(lease.name, '\0', sizeof(lease.name)));
	MUST(!strchr(lease.name, ' '));
}

/* A name has no byte that a terminal obeys, and says that it was cut if it was. */
static void check_name(const char *text, size_t size, char name[static ROOM])
{
	columns_append_name(name, ROOM, (struct word){text, size});
	MUST(memchr(name, '\0', ROOM));
	for (const unsigned char *at = (const unsigned char *)name; *at; at++) {
		MUST(*at >= ' ' && *at != 0x7f);
		MUST(*at != 0xc2 || at[1] > 0xa0); /* U+0080 to U+00A0 */
	}
	MUST(columns_width(name) <= strlen(name));
}

static bool ends_in_blank(const char *text)
{
	return *text && text[strlen(text) - 1] == ' ';
}

/* Lines are no wider than the screen, and as many as there are rows. */
static void check_table(const char *name, unsigned int width)
{
	const struct columns_screen screen = {.width = width};
	struct columns table = {.width = 2, .right = width & 3};
	char *shown, *rest, *line;
	unsigned int lines = 0;

	columns_add(&table, COLUMNS_PLAIN, "%s", name);
	columns_add(&table, COLUMNS_PLAIN, "x");
	columns_add(&table, COLUMNS_PLAIN, "x");
	columns_add(&table, COLUMNS_PLAIN, "%s", name);
	shown = rest = columns_text(&table, &screen);
	columns_free(&table);
	MUST(shown);
	while ((line = strsep(&rest, "\n")) && rest) {
		lines++;
		MUST(width == 0 || columns_width(line) <= width);
		MUST(width != 0 || ends_in_blank(name) || !ends_in_blank(line));
	}
	MUST(lines == 2);
	free(shown);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char name[ROOM] = "", *text;

	if (size == 0)
		return 0;
	MUST(setlocale(LC_CTYPE, "C.UTF-8"));
	text = malloc(size); /* to its end, so that reading past it shows */
	MUST(text);
	memcpy(text, data + 1, size - 1);
	check_lease(text, size - 1);
	check_name(text, size - 1, name);
	check_table(name, data[0]);
	free(text);
	return 0;
}
