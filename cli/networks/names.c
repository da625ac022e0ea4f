#include "cli/networks/names.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILE_MAX = 4 << 20, PATH_BYTES = 64 }; /* bytes; a record takes at most 200 */

static const char *const kinds[] = {[NAME_HELD] = "held", [NAME_PINNED] = "pinned", [NAME_REFUSED] = "refused"};

bool names_is_label(struct word word)
{
	if (word.size == 0 || word.size > NAMES_LABEL_MAX || word.at[0] == '-')
		return false;
	for (size_t i = 0; i < word.size; i++) {
		char c = (char)(word.at[i] | 0x20);

		if (!(c >= 'a' && c <= 'z') && !(word.at[i] >= '0' && word.at[i] <= '9') && word.at[i] != '-' &&
			word.at[i] != '_')
			return false;
	}
	return true;
}

struct name_record *names_add(struct names *names)
{
	struct name_record *records = names->records;

	if (names->count == NAMES_MAX)
		return NULL;
	/* By doubling: whenever the count is a power of two there is no more room. */
	if ((names->count & (names->count - 1)) == 0)
		records = reallocarray(records, names->count ? names->count * 2 : 1, sizeof(*records));
	if (!records)
		return NULL;
	names->records = records;
	records[names->count] = (struct name_record){.kind = NAME_HELD};
	return &records[names->count++];
}

void names_remove(struct names *names, size_t index)
{
	names->count--;
	memmove(names->records + index, names->records + index + 1, (names->count - index) * sizeof(*names->records));
}

void names_forget(struct names *names)
{
	free(names->records);
	*names = (struct names){.records = NULL};
}

/* "# held 52:54:00:12:34:56 172.16.2.7 12 alpha"; false for any other line. */
static bool read_record(struct word line, struct name_record *record)
{
	struct word mark, kind, mac, address, port, name;
	unsigned char unused[4];
	size_t i = 0;

	if (!word_cut(&line, ' ', &mark) || !word_cut(&line, ' ', &kind) || !word_cut(&line, ' ', &mac) ||
		!word_cut(&line, ' ', &address) || !word_cut(&line, ' ', &port) || !word_cut(&line, ' ', &name) ||
		line.at || !word_is(mark, "#"))
		return false;
	while (i < sizeof(kinds) / sizeof(*kinds) && !word_is(kind, kinds[i]))
		i++;
	*record = (struct name_record){.kind = (enum name_kind)i};
	if (i == sizeof(kinds) / sizeof(*kinds) || !mac_read(mac, record->mac) ||
		address.size >= sizeof(record->address) || !word_number(port, INT32_MAX, &record->port) ||
		!names_is_label(name))
		return false;
	memcpy(record->address, address.at, address.size);
	memcpy(record->name, name.at, name.size);
	return inet_pton(AF_INET, record->address, unused) == 1;
}

static void file_path(const char *network, const char *tail, char path[static PATH_BYTES])
{
	snprintf(path, PATH_BYTES, DNSMASQ_DIRECTORY "/%.15s.names/names%s", network, tail);
}

/* The whole of it, with a NUL behind; NULL: there is none that is a file of a size that it can have. */
static char *read_file(const char *network, size_t *size)
{
	char path[PATH_BYTES], *text = NULL;
	struct stat status;
	ssize_t n = 1;
	int fd;

	file_path(network, "", path);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	*size = 0;
	if (fd >= 0 && fstat(fd, &status) == 0 && S_ISREG(status.st_mode) && status.st_size <= FILE_MAX)
		text = malloc((size_t)status.st_size + 1);
	while (text && *size < (size_t)status.st_size && n > 0) {
		n = read(fd, text + *size, (size_t)status.st_size - *size);
		*size += n > 0 ? (size_t)n : 0;
	}
	if (fd >= 0)
		close(fd);
	return text;
}

bool names_read(const char *network, struct names *names)
{
	size_t size;
	char *text = read_file(network, &size);
	struct word rest = {text, size}, line;
	bool whole = true;

	*names = (struct names){.records = NULL};
	while (text && whole && names->count < NAMES_MAX && word_cut(&rest, '\n', &line)) {
		struct name_record record, *kept;

		if (!read_record(line, &record))
			continue;
		kept = names_add(names);
		whole = kept != NULL;
		if (kept)
			*kept = record;
	}
	free(text);
	return whole;
}

bool names_write(const char *network, const struct names *names)
{
	char path[PATH_BYTES], new[PATH_BYTES], domain[DNSMASQ_DOMAIN_MAX], mac[MAC_TEXT];
	FILE *out;
	bool written;

	file_path(network, "", path);
	file_path(network, "~", new); /* which dnsmasq does not read: dnsmasq(8), --addn-hosts */
	dnsmasq_domain(network, domain);
	out = fopen(new, "we");
	if (!out)
		return false;
	for (size_t i = 0; i < names->count; i++) {
		const struct name_record *record = &names->records[i];

		mac_text(record->mac, mac);
		fprintf(out, "# %s %s %s %u %s\n", kinds[record->kind], mac, record->address, record->port,
			record->name);
		/* With its domain it is a name, whatever else it looks like, as "1h" or "ignore". */
		if (record->kind == NAME_PINNED)
			fprintf(out, "%s,%s.%s\n", mac, record->name, domain);
	}
	written = !ferror(out);
	return fclose(out) == 0 && written && rename(new, path) == 0;
}
