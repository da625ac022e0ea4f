#include "cli/networks/guard.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/networks/guard_leases.h"
#include "cli/networks/guard_text.h"
#include "cli/networks/rules.h"
#include "cli/say.h"
#include "link/nftables.h"

/* number: one of the families that a seal can be in. */
static const char *family_word(int number)
{
	return number == NFPROTO_NETDEV ? "netdev" : "inet";
}

static int family_of(const struct policy_network *network)
{
	return network->mode == MODE_INTERNAL ? NFPROTO_NETDEV : NFPROTO_INET;
}

static uint64_t digest_of(const char *text)
{
	return guard_digest(GUARD_DIGEST_START, text, strlen(text));
}

/* --- as it stands ------------------------------------------------------------------------------------------------ */

int guard_look(struct session *session, const struct policy_network *network, struct guard *guard)
{
	if (!session->nftables) {
		*guard = (struct guard){.exists = false};
		return 0;
	}
	return guard_read(session->nftables, family_of(network), network->name, guard);
}

bool guard_is_wanted(const struct guard *guard, const struct policy_network *network)
{
	char *text = guard_text(network);
	bool wanted = text && guard_stands(guard, policy_mode_name(network->mode)) && guard->text == digest_of(text);

	free(text);
	return wanted;
}

/* A name as guard_table wrote it, read back. */
static void read_name(const char *at, char network[static GUARD_TABLE_MAX])
{
	size_t used = 0;

	for (; *at; at++) {
		if (at[0] == '/' && at[1] && at[2]) {
			network[used++] = (char)strtoul((char[]){at[1], at[2], '\0'}, NULL, 16);
			at += 2;
		} else {
			network[used++] = *at;
		}
	}
	network[used] = '\0';
}

bool guard_each(struct session *session, void (*each)(void *context, const char *network), void *context)
{
	char *tables = rules_ask(session, "list tables"), *line, *rest = tables;
	char name[GUARD_TABLE_MAX], network[GUARD_TABLE_MAX], table[GUARD_TABLE_MAX];

	if (!tables)
		return say_error("cannot list nftables' tables");
	while ((line = strsep(&rest, "\n"))) {
		if (sscanf(line, "table %*15s tapgate-%55s", name) != 1)
			continue;
		read_name(name, network);
		guard_table(network, table);
		if (strcmp(table + strlen("tapgate-"), name) == 0 &&
			!word_name_problem((struct word){network, strlen(network)}))
			each(context, network);
	}
	free(tables);
	return true;
}

/* --- up and down ------------------------------------------------------------------------------------------------- */

/* "delete table ..." for each family that has the guard's table. 0 or a negative errno value: then it is not known. */
static int write_removal(struct session *session, FILE *out, const char *network)
{
	char table[GUARD_TABLE_MAX];
	uint32_t flags;

	guard_table(network, table);
	for (size_t i = 0; i < GUARD_FAMILIES; i++) {
		int error = nftables_table(session->nftables, guard_families[i].number, table, &flags);

		if (error == 0)
			fprintf(out, "delete table %s %s\n", guard_families[i].word, table);
		else if (error != -ENOENT && error != -EOPNOTSUPP && error != -EAFNOSUPPORT)
			return error;
	}
	return 0;
}

/* Replace a network's guard, in one transaction, and then seal it: only now is it known what the kernel made of it. */
static bool replace(struct session *session, const char *network, int family, const char *mode, const char *text,
	uint64_t text_digest)
{
	char table[GUARD_TABLE_MAX], seal[GUARD_SEAL_MAX], command[256];
	struct guard guard;
	char *commands = NULL;
	size_t size;
	FILE *out = open_memstream(&commands, &size);
	bool done;
	int error;

	if (!out)
		return session_fail(network, ENOMEM, "put up its guard");
	error = write_removal(session, out, network);
	fputs(text, out);
	if (fclose(out) != 0 || error) {
		free(commands);
		return session_fail(network, error ? error : ENOMEM, "put up its guard");
	}
	done = rules_run(session, network, commands, "put up its guard");
	free(commands);
	if (!done)
		return false;
	error = guard_read(session->nftables, family, network, &guard);
	if (error)
		return session_fail(network, error, "read its guard back");
	guard_table(network, table);
	guard_seal(mode, text_digest, guard.standing, seal);
	snprintf(command, sizeof(command), "add chain %s %s %s", family_word(family), table, seal);
	return rules_run(session, network, command, "seal its guard");
}

/* Put a guard that was replaced back: its text, with the seal made anew, since the rules have other handles now. */
static bool put_back(struct session *session, const struct undo_values *values)
{
	int family = strncmp(values->text, "table netdev", strlen("table netdev")) == 0 ? NFPROTO_NETDEV : NFPROTO_INET;
	char *seal = strstr(values->text, "\tchain " GUARD_SEAL_BEGIN), *end = seal ? strstr(seal, "\t}\n") : NULL;
	char name[GUARD_SEAL_MAX] = "";
	struct guard guard = {.exists = true};

	if (end) {
		(void)!sscanf(seal, "\tchain %63s", name);
		memmove(seal, end + 3, strlen(end + 3) + 1);
	}
	return guard_read_seal(name, &guard) &&
	       replace(session, values->name, family, guard.mode, values->text, guard.text);
}

static bool take_down_again(struct session *session, const struct undo_values *values)
{
	return guard_take_down(session, values->name);
}

/* The tables of a guard as text, that with the seal first. Empty where there is none; NULL when memory ran out. */
static char *list_tables(struct session *session, const char *table, int sealed)
{
	char command[128], *text = NULL, *part;
	size_t size;
	uint32_t flags;
	FILE *out = open_memstream(&text, &size);

	for (size_t i = 0; out && i <= GUARD_FAMILIES; i++) {
		const struct guard_family *family = &guard_families[i ? i - 1 : 0];
		int number = i ? family->number : sealed;

		if ((i && number == sealed) || nftables_table(session->nftables, number, table, &flags) != 0)
			continue;
		snprintf(command, sizeof(command), "list table %s %s", i ? family->word : family_word(sealed), table);
		part = rules_ask(session, command);
		fputs(part ? part : "", out);
		free(part);
	}
	return out && fclose(out) == 0 ? text : NULL;
}

/* A guard that stands, as text; NULL if there is none worth to be put back. 0 or a negative errno value. */
static int copy(struct session *session, const char *network, char **text)
{
	static const int sealed[] = {NFPROTO_INET, NFPROTO_NETDEV};
	char table[GUARD_TABLE_MAX];
	struct guard guard = {.exists = false};

	*text = NULL;
	guard_table(network, table);
	for (size_t i = 0; i < sizeof(sealed) / sizeof(*sealed); i++) {
		int error = guard_read(session->nftables, sealed[i], network, &guard);

		if (error)
			return error;
		if (!guard.exists || !guard_stands(&guard, guard.mode))
			continue;
		*text = list_tables(session, table, sealed[i]);
		return *text ? 0 : -ENOMEM;
	}
	return 0;
}

/* Whether there is anything that would be without guard if the new one were taken down again. */
static bool is_exposed(const struct session *session, const char *network)
{
	size_t size = strlen(network);

	for (size_t i = 0; i < session->host.interface_count; i++) {
		const char *name = session->host.interfaces[i].name;

		if (strncmp(name, network, size) == 0 && (!name[size] || name[size] == '-'))
			return true;
	}
	return false;
}

/* A guard that stood is put back. Where there was none, or one that did not count, a new one is better than that. */
static bool prepare_undo(struct session *session, const char *network)
{
	struct undo_values undo = {.text = NULL};
	int error = copy(session, network, &undo.text);

	if (error)
		return session_fail(network, error, "read its guard");
	snprintf(undo.name, sizeof(undo.name), "%s", network);
	if (undo.text)
		session_undo_with(session, put_back, undo);
	else if (!is_exposed(session, network))
		session_undo_with(session, take_down_again, undo);
	return true;
}

bool guard_put_up(struct session *session, const struct policy_network *network)
{
	const char *mode = policy_mode_name(network->mode);
	char *text, *whole;
	bool done;

	if (session->dry) {
		session_say(session, network->name, "put up", "put up", "its guard");
		return true;
	}
	if (!prepare_undo(session, network->name))
		return false;
	text = guard_text(network);
	whole = text ? guard_with_leases(text, network) : NULL;
	done = whole ? replace(session, network->name, family_of(network), mode, whole, digest_of(text))
		     : session_fail(network->name, ENOMEM, "put up its guard");
	free(whole);
	free(text);
	if (done)
		session_say(session, network->name, "put up", "put up", "its guard");
	return done;
}

bool guard_take_down(struct session *session, const char *network)
{
	char *commands = NULL;
	size_t size;
	FILE *out = open_memstream(&commands, &size);
	int error = out ? write_removal(session, out, network) : -ENOMEM;
	bool done = true;

	if (out && fclose(out) != 0)
		error = -ENOMEM;
	if (error)
		done = session_fail(network, error, "take down its guard");
	else if (*commands) {
		done = session->dry || rules_run(session, network, commands, "take down its guard");
		if (done)
			session_say(session, network, "took down", "take down", "its guard");
	}
	free(commands);
	return done;
}
