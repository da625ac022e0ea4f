// SPDX-License-Identifier: MIT
/* Guards, put up and taken down. What they are is in etc/guard/; what makes one stand, in link/nftables.c. */
#include "networks/networks.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "dhcp/dhcp.h"
#include "link/link.h"
#include "tool/tool.h"

enum { PATIENCE = 16 }; /* how often tables that change meanwhile are read again */

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

/* --- as it stands ------------------------------------------------------------------------------------------------- */

int guard_look(struct session *session, const struct policy_network *network, struct guard *guard)
{
	if (!session->nftables) {
		*guard = (struct guard){.exists = false};
		return 0;
	}
	return guards_find(session, family_of(network), network->name, guard);
}

bool guard_is_wanted(const struct guard *guard, const struct policy_network *network)
{
	char *text = network->copied ? NULL : guard_text(network);
	bool wanted = text && guard_stands(guard, policy_mode_name(network->mode)) && guard->text == digest_of(text);

	free(text);
	return network->copied ? guard_stands(guard, policy_mode_name(network->mode)) : wanted;
}

/* A name as guard_table wrote it, read back. */
static void read_name(const char *at, char network[static GUARD_TABLE_MAX])
{
	size_t used = 0;

	for (; *at; at++) {
		if (at[0] == '/' && text_hex(at + 1) >= 0) {
			network[used++] = (char)text_hex(at + 1);
			at += 2;
		} else {
			network[used++] = *at;
		}
	}
	network[used] = '\0';
}

/* Names of networks are passed on. */
struct name_reader {
	void (*each)(void *context, const char *network);
	void *context;
};

static void see_table(void *context, const struct nftables_object *object)
{
	static const char mark[] = "tapgate-";
	const struct name_reader *reader = context;
	char network[GUARD_TABLE_MAX], table[GUARD_TABLE_MAX];

	if (strncmp(object->table, mark, sizeof(mark) - 1) != 0 || strlen(object->table) >= sizeof(network))
		return;
	read_name(object->table + sizeof(mark) - 1, network);
	guard_table(network, table);
	if (strcmp(table, object->table) == 0 && !word_name_problem((struct word){network, strlen(network)}))
		reader->each(reader->context, network);
}

bool guard_each(struct session *session, void (*each)(void *context, const char *network), void *context)
{
	struct name_reader reader = {each, context};
	int error = -EAGAIN;

	for (int i = 0; i < PATIENCE && error == -EAGAIN; i++)
		error = nftables_each_table(session->nftables, see_table, &reader);
	return !error || say_error("cannot list nftables' tables: %s", strerror(-error));
}

/* --- leases ------------------------------------------------------------------------------------------------------- */

/*
 * With lock-ip: what a guard begins with, which is who has which address by now. Else nobody had any until asking
 * again.
 */

struct lease_writer {
	FILE *out;
	const struct policy_network *network;
};

static void write_lease(void *context, const struct lease *lease)
{
	const struct lease_writer *writer = context;

	if (lease->has_mac)
		guard_write_given(writer->out, writer->network,
			&(struct guard_given){lease->mac, lease->address, lease->family == AF_INET6, false});
}

/* The text of a guard and, in the same transaction, the leases in force if it asks for them, from malloc; or NULL. */
static char *with_leases(const char *text, const struct policy_network *network)
{
	char *whole = NULL;
	size_t size;
	FILE *out = open_memstream(&whole, &size);

	if (!out)
		return NULL;
	fputs(text, out);
	if (policy_locks_ip(network))
		leases_each(network->name, write_lease, &(struct lease_writer){out, network});
	return fclose(out) == 0 ? whole : NULL;
}

/* --- up and down -------------------------------------------------------------------------------------------------- */

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

/* Have a guard sealed when guard_seal_all comes. */
static bool note_seal(struct session *session, const char *command)
{
	char *seals = NULL;

	if (asprintf(&seals, "%s%s\n", session->seals ? session->seals : "", command) < 0)
		return say_error("cannot seal guards: out of memory");
	free(session->seals);
	session->seals = seals;
	return true;
}

bool guard_seal_all(struct session *session)
{
	bool done = !session->seals || rules_run(session, "guards", session->seals, "seal them");

	free(session->seals);
	session->seals = NULL;
	return done;
}

/* Commands by which a guard takes the place of whatever has its name. 0 or a negative errno value. */
static int write_guard(struct session *session, FILE *out, const struct policy_network *network, uint64_t *digest)
{
	const char *copy = guard_copied(session, network, digest);
	char *text = copy ? strdup(copy) : guard_text(network), *whole = text ? with_leases(text, network) : NULL;
	int error = whole ? write_removal(session, out, network->name) : -ENOMEM;

	if (!error) {
		fputs(whole, out);
		*digest = copy ? *digest : digest_of(text);
	}
	free(whole);
	free(text);
	return error;
}

/*
 * Only when it is up is it known what the kernel made of a guard, which the seal says; seals come all at once, as
 * libnftables reads all tables for each transaction.
 */
static bool have_sealed(
	struct session *session, const struct policy_network *network, uint64_t text, const struct guard *guard)
{
	char table[GUARD_TABLE_MAX], seal[GUARD_SEAL_MAX], command[256];

	guard_table(network->name, table);
	guard_seal(policy_mode_name(network->mode), text, guard->standing, seal);
	snprintf(command, sizeof(command), "add chain %s %s %s", family_word(family_of(network)), table, seal);
	if (!note_seal(session, command))
		return false;
	session_say(session, network->name, "put up", "put up", "its guard");
	return true;
}

bool guard_put_up(struct session *session, const struct policy_network *network)
{
	uint64_t text = 0;
	struct guard guard;
	char *commands = NULL;
	size_t size;
	FILE *out = session->dry ? NULL : open_memstream(&commands, &size);
	int error = out ? write_guard(session, out, network, &text) : -ENOMEM;
	bool done;

	if (session->dry) {
		session_say(session, network->name, "put up", "put up", "its guard");
		return true;
	}
	if (out && fclose(out) != 0)
		error = -ENOMEM;
	done = error ? session_fail(network->name, error, "put up its guard")
		     : rules_run(session, network->name, commands, "put up its guard");
	free(commands);
	if (!done)
		return false;
	error = guard_read(session->nftables, family_of(network), network->name, &guard);
	return error ? session_fail(network->name, error, "read its guard back")
		     : have_sealed(session, network, text, &guard);
}

/* What is up by now, in a new picture of all, and sealed. */
static bool seal_these(
	struct session *session, const struct policy_network *const *networks, size_t count, const uint64_t *texts)
{
	struct guard guard;
	bool done = session_look(session);

	for (size_t i = 0; i < count && done; i++)
		done = guard_look(session, networks[i], &guard) == 0 && guard.exists &&
		       have_sealed(session, networks[i], texts[i], &guard);
	return guard_seal_all(session) && done;
}

bool guard_put_up_all(struct session *session, const struct policy_network *const *networks, size_t count)
{
	uint64_t *texts = calloc(count + 1, sizeof(*texts));
	char *commands = NULL;
	size_t size;
	FILE *out = open_memstream(&commands, &size);
	int error = out && texts ? 0 : -ENOMEM;
	bool done;

	for (size_t i = 0; i < count && !error; i++)
		error = write_guard(session, out, networks[i], &texts[i]);
	if (out && fclose(out) != 0)
		error = -ENOMEM;
	done = !error && rules_try(session, commands) && seal_these(session, networks, count, texts);
	free(commands);
	free(texts);
	return done;
}

/* In one transaction, as libnftables reads all tables for each. Which had one is noted. */
static bool take_down(struct session *session, char (*networks)[IFNAMSIZ], size_t count, bool *had)
{
	char *commands = NULL;
	size_t size, failed = 0;
	FILE *out = open_memstream(&commands, &size);
	int error = out ? 0 : -ENOMEM;
	bool done;

	for (size_t i = 0; i < count && !error; i++) {
		long before = ftell(out);

		error = write_removal(session, out, networks[i]);
		had[i] = ftell(out) > before;
		failed = i;
	}
	if (out && fclose(out) != 0)
		error = -ENOMEM;
	if (error)
		done = session_fail(networks[failed], error, "take down its guard");
	else
		done = !*commands || session->dry ||
		       rules_run(session, networks[failed], commands, "take down its guard");
	free(commands);
	return done;
}

bool guard_take_down(struct session *session, char (*networks)[IFNAMSIZ], size_t count)
{
	bool *had = calloc(count + 1, sizeof(*had)), done;

	if (!had)
		return session_fail("guards", ENOMEM, "take down its guard");
	done = take_down(session, networks, count, had);
	for (size_t i = 0; i < count && done; i++) {
		if (had[i])
			session_say(session, networks[i], "took down", "take down", "its guard");
	}
	free(had);
	return done;
}

/* --- guard_copy --------------------------------------------------------------------------------------------------- */

/*
 * Guards as they stood, for whoever has to put them back when the policy says something else by now: what was applied
 * is in no file. As text, in nft's language, and with what their seals said of them.
 */

/* Without the seal, which is a chain without rules: it is for what stands now. */
static void cut_seal(char *text)
{
	char *seal = strstr(text, "\tchain " GUARD_SEAL_BEGIN), *end = seal ? strstr(seal, "}\n") : NULL;

	if (end)
		memmove(seal, end + 2, strlen(end + 2) + 1);
}

/* All tables of a guard; NULL where that cannot be read. */
static char *copy_tables(struct session *session, const char *network)
{
	char table[GUARD_TABLE_MAX], *whole = NULL;
	size_t size;
	FILE *out = open_memstream(&whole, &size);
	uint32_t flags;
	bool read = out;

	guard_table(network, table);
	for (size_t i = 0; i < GUARD_FAMILIES && read; i++) {
		char command[GUARD_TABLE_MAX + 32], *text;

		if (nftables_table(session->nftables, guard_families[i].number, table, &flags) != 0)
			continue;
		snprintf(command, sizeof(command), "list table %s %s", guard_families[i].word, table);
		text = rules_show(session, command);
		read = text;
		if (!text)
			break;
		cut_seal(text);
		fputs(text, out);
		free(text);
	}
	if (out && fclose(out) == 0 && read)
		return whole;
	free(whole);
	return NULL;
}

void guard_copy(struct session *session, const struct policy_network *network, const struct guard *guard)
{
	json_t *copy = json_object_get(session->copies, network->name);
	char *text;

	if (!session->copies || json_integer_value(json_object_get(copy, "standing")) == (json_int_t)guard->standing)
		return;
	text = copy_tables(session, network->name);
	/* nft lists rules of lock-ip in words that it does not read; those are made from the line again. */
	if (text && !strstr(text, "\tset given {"))
		json_object_set_new(session->copies, network->name,
			json_pack("{s:s, s:s, s:I, s:I}", "mode", guard->mode, "text", text, "digest",
				(json_int_t)guard->text, "standing", (json_int_t)guard->standing));
	free(text);
}

const char *guard_copied(const struct session *session, const struct policy_network *network, uint64_t *digest)
{
	const json_t *copy = json_object_get(session->copies, network->name);
	const char *mode = json_string_value(json_object_get(copy, "mode"));

	if (!mode || strcmp(mode, policy_mode_name(network->mode)) != 0)
		return NULL;
	*digest = (uint64_t)json_integer_value(json_object_get(copy, "digest"));
	return json_string_value(json_object_get(copy, "text"));
}
