#include "cli/check/caret.h"

enum {
	SHOWN = 96,  /* bytes of a line that are shown at most, */
	BEFORE = 60, /* and how many of them before the column in a line that is cut at its beginning */
};

static bool is_plain(char byte)
{
	return (byte >= ' ' && byte <= '~') || byte == '\t';
}

void caret_write(FILE *out, struct word line, unsigned int column)
{
	size_t at = column ? column - 1 : 0, start = at > SHOWN - SHOWN / 4 ? at - BEFORE : 0, end;

	if (at > line.size)
		at = line.size;
	if (start > line.size)
		start = line.size;
	end = line.size - start > SHOWN ? start + SHOWN : line.size;
	fputs(start ? "    ..." : "    ", out);
	for (size_t i = start; i < end; i++)
		fprintf(out, is_plain(line.at[i]) ? "%c" : "\\x%02x", (unsigned char)line.at[i]);
	fputs(end < line.size ? "...\n" : "\n", out);
	if (!column)
		return;
	fputs(start ? "       " : "    ", out);
	for (size_t i = start; i < at; i++)
		fputs(line.at[i] == '\t' ? "\t" : is_plain(line.at[i]) ? " " : "    ", out);
	fputs("^\n", out);
}
