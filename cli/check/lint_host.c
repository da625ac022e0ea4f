// SPDX-License-Identifier: MIT
/* Warnings about networks, files and options: what is not there, is open to others, or is not in this kernel. */
#include "cli/check/check.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/pkt_cls.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "link/link.h"
#include "policy/policy.h"
#include "policy/text.h"
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

/* --- kernel ------------------------------------------------------------------------------------------------------- */

/* Options that the running kernel cannot give. tapgate-helper refuses every request that needs one. */

/* The word of an option in a line, behind the line's first two: what it is, and the name of a network. */
static struct word find_word(struct word line, const char *option)
{
	const char *at = line.at, *end = line.at + line.size;

	for (int count = 0; at < end; count++) {
		struct word word, rest, name;

		while (at < end && (*at == ' ' || *at == '\t'))
			at++;
		word.at = at;
		while (at < end && *at != ' ' && *at != '\t')
			at++;
		word.size = (size_t)(at - word.at);
		rest = word;
		if (count >= 2 && word_cut(&rest, '=', &name) && word_is(name, option))
			return word;
	}
	return line;
}

/* The option that takes something of the kernel: this one, or the one that it brings with it; NULL: neither. */
static const struct policy_option_row *asks_kernel(const struct policy_option_row *row)
{
	if (row->kernel || row->linux_version)
		return row;
	return row->implies ? asks_kernel(policy_option_row(row->implies)) : NULL;
}

static void look(const char *file, unsigned int number, struct word line, uint32_t lacking, struct findings *findings)
{
	char escaped[256] = "";

	text_append_escaped(escaped, sizeof(escaped), (struct word){file, strlen(file)});
	for (uint32_t left = lacking; left; left &= left - 1) {
		const struct policy_option_row *row = policy_option_row(left), *asks = asks_kernel(row);
		struct word word = find_word(line, row->word);
		struct finding_place place = {escaped, number, (unsigned int)(word.at - line.at) + 1, line, 0};

		if (asks)
			findings_add_at(findings, FINDING_ERROR, &place,
				"this kernel does not give %s, which takes %s%s%s; remove it, or run such a kernel",
				QUOTED(word), asks->kernel ? asks->kernel : "Linux ",
				asks->kernel ? "" : asks->linux_version, asks->kernel ? "" : " or newer");
	}
}

/* And all options that bring one of them with them. */
static uint32_t with_implying(uint32_t lacks)
{
	for (size_t i = 0; i < POLICY_OPTION_COUNT; i++)
		lacks |= policy_option_rows[i].implies & lacks ? 1U << i : 0;
	return lacks;
}

void lint_kernel(const struct policy *policy, uint32_t lacks, struct findings *findings)
{
	size_t count;
	const struct policy_network *networks = policy_networks(policy, &count);

	lacks = with_implying(lacks);
	for (size_t i = 0; i < count; i++)
		look(networks[i].file, networks[i].line, policy_line(policy, networks[i].file, networks[i].line),
			networks[i].options.given & lacks, findings);
	for (size_t i = 0; i < policy_rule_count(policy); i++) {
		const struct policy_rule rule = policy_rule(policy, i);

		look(rule.file, rule.line, rule.whole, rule.options->given & lacks, findings);
	}
}

/* --- asking ------------------------------------------------------------------------------------------------------- */

/* What its bridges can do: by one in a network namespace that ends with the question. */

/* A bridge with a tap as its port, as the kernel describes the two. */
static int make_port(struct link *link, struct link_interface *bridge, struct link_interface *port)
{
	static const unsigned char mac[] = {0x02, 0, 0, 0, 0, 1};
	const struct tap_kind kind = {.vnet_header = false};
	static const char name[] = "probe-port";
	int fd, error = link_make_bridge(link, "probe", mac);

	if (!error)
		error = link_by_name(link, "probe", bridge);
	if (!error)
		error = tap_open(&fd);
	if (!error)
		error = tap_make(fd, &kind, name, 0);
	if (!error)
		error = link_by_name(link, name, port);
	if (!error)
		error = link_change(link, port->index, &(struct link_change){.master = bridge->index});
	return error ? error : link_by_index(link, port->index, port);
}

/* Whether this kernel cannot run a program on an interface, which the helper needs (apart_keep, helper/protect.c). */
static bool lacks_programs(struct link *link, const struct link_interface *port)
{
	const struct tc_program program = {.size = 1, .code = {BPF_STMT(BPF_RET | BPF_K, (uint32_t)TC_ACT_UNSPEC)}};
	int error = tc_prepare(link, port->index, true);

	if (!error)
		error = tc_add(link, port->index, TC_IN, &program);
	return error == -ENOENT || error == -EOPNOTSUPP;
}

/* Enter a network namespace to try in. An ordinary user needs a user namespace for that (user_namespaces(7)). */
static bool leave(void)
{
	unsigned int uid = geteuid();
	bool mapped;
	int fd;

	if (unshare(CLONE_NEWNET) == 0)
		return true;
	if (unshare(CLONE_NEWUSER | CLONE_NEWNET) < 0)
		return false;
	fd = open("/proc/self/uid_map", O_WRONLY | O_CLOEXEC);
	mapped = fd >= 0 && dprintf(fd, "%u %u 1", uid, uid) > 0;
	if (fd >= 0)
		close(fd);
	return mapped;
}

static uint32_t ask(void)
{
	struct link_interface bridge, port;
	struct link *link;
	uint32_t lacks = 0;

	if (!leave() || link_open(&link) != 0 || make_port(link, &bridge, &port) != 0)
		return 0;
	for (size_t i = 0; i < POLICY_OPTION_COUNT; i++) {
		for (const struct policy_port_setting *set = policy_option_rows[i].port; set->attribute; set++)
			lacks |= port.port.known & LINK_PORT(set->attribute) ? 0 : 1U << i;
	}
	lacks |= lacks_programs(link, &port) ? KERNEL_LACKS_PROGRAMS : 0;
	return lacks | (bridge.knows_vlans ? 0 : OPTION_VLAN);
}

uint32_t kernel_lacks(void)
{
	uint32_t lacks = 0;
	int ends[2], status;
	pid_t child;

	if (pipe(ends) < 0)
		return 0;
	child = fork();
	if (child == 0) {
		lacks = ask();
		_exit(write(ends[1], &lacks, sizeof(lacks)) != sizeof(lacks));
	}
	close(ends[1]);
	if (child < 0 || read(ends[0], &lacks, sizeof(lacks)) != sizeof(lacks))
		lacks = 0;
	close(ends[0]);
	while (child > 0 && waitpid(child, &status, 0) < 0 && errno == EINTR)
		;
	return lacks;
}
