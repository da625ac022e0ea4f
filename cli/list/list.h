// SPDX-License-Identifier: MIT
/* A scene (taps/taps.h) as a table, as lines, and as JSON: for `tapgate list`, and commands that show the same. */
#ifndef CLI_LIST_LIST_H
#define CLI_LIST_LIST_H

#include <jansson.h>

#include "taps/taps.h"
#include "tool/tool.h"

/* The taps of the networks that the words name, a row for each address; its head first. For columns_free. */
struct columns list_table(const struct scene *scene, const struct words *words);

/*
 * A tap in a line, "tg134-0 network=lab user=alice vmm=134:qemu guest=52:54:00:12:00:01,172.16.2.7": without what
 * changes by itself, so that two are the same if nothing happened. NULL: memory ran out.
 */
char *list_line(const struct scene *scene, const struct scene_tap *tap);

/* A tap as an object; a guest, without its tap and network; a time, as RFC 3339 has it. */
json_t *list_json_tap(const struct scene *scene, const struct scene_tap *tap);
json_t *list_json_guest(const struct scene_guest *guest);
enum { LIST_TIME_TEXT = 32 };
void list_time(time_t time, char text[static LIST_TIME_TEXT]);

/* A user's name, escaped, or the number if there is none; what a process or a guest calls itself, escaped. */
enum { LIST_NAME_TEXT = 256 };
void list_user(uid_t uid, char text[static LIST_NAME_TEXT]);
void list_name(const char *name, char text[static LIST_NAME_TEXT]);

#endif
