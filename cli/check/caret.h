/* A line of a policy shown beneath a message about it, with a caret under the place. */
#ifndef CLI_CHECK_CARET_H
#define CLI_CHECK_CARET_H

#include <stdio.h>

#include "policy/text.h"

/*
 * Write a line, indented, and a second one with a caret under its byte `column`, counted from 1 (0: no caret). Bytes
 * that a terminal might obey, or that are no ASCII, stand as \xNN; tabs stay, in both lines, so that the caret is right
 * whatever they come to. Of a long line the part around the column is shown, with "..." where it was cut.
 */
void caret_write(FILE *out, struct word line, unsigned int column);

#endif
