// SPDX-License-Identifier: MIT
/* Networks and bridges that do not exist, and files that their readers may not read. */
#include "cli/check/check.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include "policy/policy.h"
#include "tool/tool.h"

/* --- networks ----------------------------------------------------------------------------------------------------- */

static int compare_networks(const void *first, const void *second, void *policy)
{
	const size_t *a = first, *b = second;
	int order = strcmp(policy_rule(policy, *a).network, policy_rule(policy, *b).network);

	return order ? order : *a == *b ? 0 : *a < *b ? -1 : 1;
}

static bool has_line(const struct policy *policy, const char *name)
{
	size_t count;
	const struct policy_network *networks = policy_networks(policy, &count);

	for (size_t i = 0; i < count; i++) {
		if (strcmp(networks[i].name, name) == 0)
			return true;
	}
	return false;
}

/* Warn of rules about a network that has no line and no interface, once for each name. */
static void warn_of_rules(struct policy *policy, const struct lint_host *host, struct findings *findings)
{
	size_t count = policy_rule_count(policy), *sorted = calloc(count + 1, sizeof(*sorted));
	const char *before = "";

	if (!sorted) {
		findings->failed = true;
		return;
	}
	for (size_t i = 0; i < count; i++)
		sorted[i] = i;
	qsort_r(sorted, count, sizeof(*sorted), compare_networks, policy);
	for (size_t i = 0; i < count; i++) {
		const struct policy_rule rule = policy_rule(policy, sorted[i]);

		if (strcmp(rule.network, before) != 0 && !has_line(policy, rule.network) &&
			!host->interface(host->context, rule.network))
			lint_warn_rule(policy, findings, &rule, rule.words.at,
				"no line describes a network '%s', and no bridge is called so now; correct the name, or make it",
				rule.network);
		before = rule.network;
	}
	free(sorted);
}

/* Where the name of a network stands in its line: the second word, from 1. */
static unsigned int name_column(const struct policy *policy, const struct policy_network *network)
{
	struct word line = policy_line(policy, network->file, network->line);
	const char *at = line.at, *end = line.at + line.size;

	for (int word = 0; word < 2; word++) {
		while (word && at < end && *at != ' ' && *at != '\t')
			at++;
		while (at < end && (*at == ' ' || *at == '\t'))
			at++;
	}
	return (unsigned int)(at - line.at) + 1;
}

void lint_networks(struct policy *policy, const struct lint_host *host, struct findings *findings)
{
	size_t count;
	const struct policy_network *networks = policy_networks(policy, &count);

	warn_of_rules(policy, host, findings);
	for (size_t i = 0; i < count; i++) {
		if (networks[i].mode == MODE_BRIDGED && !host->interface(host->context, networks[i].name))
			lint_warn_line(policy, findings,
				&(struct lint_spot){
					networks[i].file, networks[i].line, name_column(policy, &networks[i])},
				"no bridge is called '%s' now, and tapgate makes none for a bridged network; correct the name, or make it",
				networks[i].name);
	}
}

/* --- files -------------------------------------------------------------------------------------------------------- */

/*
 * Whether a mode lets others than root through: everybody, or a group other than root's. With an access control list
 * the group's bits are the most that the list gives to anybody (acl(5)).
 */
static bool is_open(const char *path, const struct stat *status, mode_t group, mode_t others)
{
	if (status->st_mode & others)
		return true;
	return (status->st_mode & group) &&
	       (status->st_gid != 0 || getxattr(path, "system.posix_acl_access", NULL, 0) > 0);
}

/* Whether anybody but root may read a file, by its mode and those of the directories on the way. */
static bool is_for_others(const char *path)
{
	char part[PATH_MAX];
	struct stat status;

	if (strlen(path) >= sizeof(part) || stat(path, &status) < 0)
		return true; /* it was read a moment ago, so it is being replaced: say nothing */
	if (!is_open(path, &status, S_IRGRP, S_IROTH))
		return false;
	memcpy(part, path, strlen(path) + 1);
	for (char *slash = strrchr(part, '/'); slash && slash != part; slash = strrchr(part, '/')) {
		*slash = '\0';
		if (stat(part, &status) == 0 && !is_open(part, &status, S_IXGRP, S_IXOTH))
			return false;
	}
	return true;
}

void lint_files(const struct policy *policy, struct findings *findings)
{
	for (size_t i = 0; i < policy_part_count(policy); i++) {
		const struct policy_part part = policy_part(policy, i);
		struct word path = {part.path, strlen(part.path)};

		if (is_for_others(part.path))
			continue;
		if (!part.by && strcmp(part.path, POLICY_FILE) != 0)
			continue; /* a draft, wherever it lies */
		if (part.by)
			lint_warn_line(policy, findings, &(struct lint_spot){part.by, part.line, part.column},
				"nobody but root may read %s, so that it says nothing for others; chgrp it to whom it is for and chmod 640, or chmod 644",
				QUOTED(path));
		else
			lint_warn_line(policy, findings, &(struct lint_spot){.file = part.path},
				"nobody but root may read it, so that nobody else is allowed anything; chmod 644 it");
	}
}
