// SPDX-License-Identifier: MIT
/* What dnsmasq of this host's a network should have, as whom, and with which words. */
#include <net/if.h> /* before the kernel's, which give way to it (linux/libc-compat.h) */

#include "dhcp/internal.h"

#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <unistd.h>

#include "tool/tool.h"

#define NO_ACCOUNT                                                                                                     \
	"there is neither a user 'dnsmasq' nor a 'nobody', each with its group, to run dnsmasq as; add one, as dnsmasq's package does"

bool dnsmasq_wanted(const struct policy_network *network)
{
	return policy_has_server(network);
}

const char *dnsmasq_wanted_program(const struct policy_network *network)
{
	return network->mode == MODE_STANDALONE ? DNSMASQ_KEEPER : "dnsmasq";
}

static const char *find_program(void)
{
	static const char *const programs[] = {"/usr/sbin/dnsmasq", "/usr/bin/dnsmasq", "/usr/local/sbin/dnsmasq"};

	for (size_t i = 0; i < sizeof(programs) / sizeof(*programs); i++) {
		if (access(programs[i], X_OK) == 0)
			return programs[i];
	}
	return NULL;
}

bool dnsmasq_is_installed(void)
{
	return find_program() != NULL;
}

bool dnsmasq_find_account(struct dnsmasq_account *account)
{
	static const char *const users[] = {"dnsmasq", "nobody"};

	for (size_t i = 0; i < sizeof(users) / sizeof(*users); i++) {
		const struct passwd *user = getpwnam(users[i]);
		const struct group *group = user && user->pw_uid != 0 ? getgrgid(user->pw_gid) : NULL;

		if (!group || strlen(group->gr_name) >= sizeof(account->group))
			continue;
		snprintf(account->user, sizeof(account->user), "%s", users[i]);
		snprintf(account->group, sizeof(account->group), "%s", group->gr_name);
		account->uid = user->pw_uid;
		account->gid = user->pw_gid;
		return true;
	}
	return false;
}

/* Beside the helper, where `make install` puts both. */
bool dnsmasq_find_keeper(char path[static PATH_MAX])
{
	char *slash = helper_find(path) ? strrchr(path, '/') : NULL;
	size_t left = slash ? (size_t)(path + PATH_MAX - slash) : 0;

	return slash && (size_t)snprintf(slash, left, "/" DNSMASQ_KEEPER) < left;
}

/* Of a standalone network: its interfaces come and go, and it is tapgate-dhcp that serves them. */
static bool plan_alone(const struct policy_network *network, struct dnsmasq_words *words, char *why, size_t why_size)
{
	struct dnsmasq_account account;
	char program[PATH_MAX];

	if (!dnsmasq_find_keeper(program))
		text_append(why, why_size, DNSMASQ_NO_KEEPER);
	else if (!dnsmasq_find_account(&account))
		text_append(why, why_size, NO_ACCOUNT);
	else if (serve_words(words, program, &account, network))
		return true;
	else
		text_append(why, why_size, "its command line would be too long");
	return false;
}

bool dnsmasq_plan(const struct policy_network *network, struct dnsmasq_words *words, char *why, size_t why_size)
{
	struct dnsmasq_account account;
	const char *program = find_program();
	unsigned int index = if_nametoindex(network->name);

	*why = '\0';
	if (network->mode == MODE_STANDALONE)
		return plan_alone(network, words, why, why_size);
	if (!program)
		text_append(why, why_size,
			"there is no dnsmasq in /usr/sbin, /usr/bin or /usr/local/sbin; install the package 'dnsmasq-base' (Debian, Ubuntu) or 'dnsmasq'");
	else if (!dnsmasq_find_account(&account))
		text_append(why, why_size, NO_ACCOUNT);
	else if (index == 0)
		text_append(why, why_size, "there is no interface '%s' for it to serve", network->name);
	else if (dnsmasq_words(words, program, &account, network, index))
		return true;
	else
		text_append(why, why_size, "its command line would be too long");
	return false;
}
