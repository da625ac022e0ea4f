/*
 * The fields of a line of the helper's log: "key=value key="a value with blanks"", written and read back.
 *
 * Both directions are here so that they cannot come apart: what field_append() writes, field_cut() reads, byte for
 * byte, and nothing that stands in a value can look like the end of it or like another field. Pure, as the rest of
 * policy/: no memory, no locale.
 *
 * A value of printable ASCII without a blank, '"', '\' or '=' stands as it is. Any other one stands between '"', and in
 * there printable ASCII and blanks stand as they are, but every other byte, '"' and '\' as \xNN, two lower-case digits.
 * So a '"' always begins or ends a value, and a line is one line of printable ASCII.
 */
#ifndef POLICY_FIELD_H
#define POLICY_FIELD_H

#include <stdbool.h>
#include <stddef.h>

#include "policy/text.h"

/*
 * Append a field to the string in buffer (capacity in bytes, NUL included), behind a blank if there is something before
 * it. key: lower-case letters. A value that does not fit is cut between two bytes and ends in "...", and its '"' is
 * there all the same; where not even that fits, the field is left out whole.
 */
void field_append(char *buffer, size_t capacity, const char *key, const char *value);

/* The same for a number. */
void field_append_number(char *buffer, size_t capacity, const char *key, unsigned long value);

/*
 * Cut the first field off a line, and the blank behind it. The value is written to buffer as it was before it was
 * escaped. False, with the line as it was, when the line is used up, does not begin with a field as field_append()
 * writes it, has a NUL in the value, or has a value that does not fit.
 */
bool field_cut(struct word *line, struct word *key, char *buffer, size_t capacity);

#endif
