// SPDX-License-Identifier: MIT
/*
 * Names of guests on the host: NAME.NETWORK.internal, for which the network's own dnsmasq answers.
 *
 * systemd-resolved is told so for the bridge, by resolvectl(1): what it keeps for an interface goes with it, and stays
 * when systemd-resolved is started anew. Nothing else that resolves names takes a server for one domain but from files
 * that are an administrator's, so it is only said what to add there.
 */
#include "networks/networks.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum {
	SERVERS_TEXT = INET_ADDRSTRLEN + INET6_ADDRSTRLEN,
	FILE_MAX = 65536, /* bytes of a file that is looked through */
};

#define NM_PID	     "/run/NetworkManager/dnsmasq.pid"
#define NM_DIRECTORY "/etc/NetworkManager/dnsmasq.d"

static char resolvectl[] = "/usr/bin/resolvectl";

/* --- who resolves ------------------------------------------------------------------------------------------------- */

/* Its socket is there, and somebody listens. */
static bool has_resolved(void)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "/run/systemd/resolve/io.systemd.Resolve"};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	bool there = fd >= 0 && connect(fd, (const struct sockaddr *)&address, sizeof(address)) == 0;

	if (fd >= 0)
		close(fd);
	return there && access(resolvectl, X_OK) == 0;
}

/* NetworkManager's own dnsmasq (dns=dnsmasq, NetworkManager.conf(5)). */
static bool has_nm_dnsmasq(void)
{
	char text[16], path[64], name[32];
	uint32_t pid;

	if (file_read(AT_FDCWD, NM_PID, text, sizeof(text)) <= 0 ||
		!word_number((struct word){text, strcspn(text, "\n")}, INT32_MAX, &pid))
		return false;
	snprintf(path, sizeof(path), "/proc/%u/comm", pid);
	return file_read(AT_FDCWD, path, name, sizeof(name)) > 0 && strcmp(name, "dnsmasq\n") == 0;
}

/* The first name server is the host's own, as of a dnsmasq or unbound that somebody set up. */
static bool has_own_server(void)
{
	char text[4096];
	struct word rest = {text, 0}, line;
	ssize_t size = file_read(AT_FDCWD, "/etc/resolv.conf", text, sizeof(text));

	rest.size = size > 0 ? (size_t)size : 0;
	while (rest.size && word_cut(&rest, '\n', &line)) {
		if (word_begins(line, "nameserver"))
			return word_begins(line, "nameserver 127.") || word_is(line, "nameserver ::1");
	}
	return false;
}

enum resolver resolver_of_host(void)
{
	return has_resolved()	  ? RESOLVER_RESOLVED
	       : has_nm_dnsmasq() ? RESOLVER_NM_DNSMASQ
	       : has_own_server() ? RESOLVER_OWN
				  : RESOLVER_PLAIN;
}

/* --- systemd-resolved --------------------------------------------------------------------------------------------- */

/* What it has of all interfaces: their servers, and then their domains. Empty: it does not say. */
static const char *ask(struct session *session)
{
	enum { SAID_MAX = 1 << 18 };
	static char quiet[] = "--no-pager", dns[] = "dns", domain[] = "domain";
	size_t used;

	if (session->resolved)
		return session->resolved;
	session->resolved = calloc(2, SAID_MAX);
	if (!session->resolved)
		return "";
	if (!program_run((char *[]){resolvectl, quiet, dns, NULL}, session->resolved, SAID_MAX)) {
		*session->resolved = '\0';
		return session->resolved;
	}
	used = strlen(session->resolved);
	if (!program_run((char *[]){resolvectl, quiet, domain, NULL}, session->resolved + used, SAID_MAX))
		*session->resolved = '\0';
	return session->resolved;
}

static void forget(struct session *session)
{
	free(session->resolved);
	session->resolved = NULL;
}

/* The lines of an interface, "Link 3 (lab): WORD...": the words of both, apart by '|'. */
static void find_said(struct session *session, int index, char *buffer, size_t size)
{
	const char *said = ask(session);
	struct word rest = {said, strlen(said)}, line;
	char begins[32];

	*buffer = '\0';
	snprintf(begins, sizeof(begins), "Link %d (", index);
	while (rest.at && word_cut(&rest, '\n', &line)) {
		const char *at = word_begins(line, begins) ? memmem(line.at, line.size, "):", 2) : NULL;

		if (!at)
			continue;
		at += at + 2 < line.at + line.size ? 3 : 2;
		text_append(buffer, size, "%s%.*s", *buffer ? "|" : "", (int)(line.at + line.size - at), at);
	}
}

/* The addresses of the host on the network, which its dnsmasq listens at. */
static void write_servers(const struct policy_network *network, const char *between, char *buffer, size_t size)
{
	char text[INET6_ADDRSTRLEN];

	*buffer = '\0';
	if (network->ipv4.given && inet_ntop(AF_INET, network->ipv4.address, text, sizeof(text)))
		text_append(buffer, size, "%s", text);
	if (network->ipv6.given && inet_ntop(AF_INET6, network->ipv6.address, text, sizeof(text)))
		text_append(buffer, size, "%s%s", *buffer ? between : "", text);
}

/* The bridge of a network whose names are asked for, or were; NULL: it has none. */
static const struct link_interface *bridge_of(const struct session *session, const struct policy_network *network)
{
	const struct link_interface *bridge = host_interface(&session->host, network->name);

	return bridge_is_needed(network) && bridge && bridge_is_ours(bridge) ? bridge : NULL;
}

/* Whether it has for the bridge what it should. `said`, of at least 512 bytes, receives what it has. */
static bool is_told(struct session *session, const struct policy_network *network, int index, char *said)
{
	char wanted[512], servers[SERVERS_TEXT], domain[POLICY_DOMAIN_MAX + 1];

	find_said(session, index, said, sizeof(wanted));
	if (!*ask(session))
		return true;
	if (!dnsmasq_wanted(network))
		return said[strspn(said, "|")] == '\0';
	write_servers(network, " ", servers, sizeof(servers));
	policy_domain(network, domain);
	snprintf(wanted, sizeof(wanted), "%s|~%s", servers, domain);
	return strcmp(said, wanted) == 0;
}

/* One word of resolvectl's about an interface. */
static bool tell(char *verb, char *index, char *const *words, char *why, size_t why_size)
{
	char *all[8] = {resolvectl, verb, index};
	size_t count = 3;

	for (; words && *words && count < 7; words++)
		all[count++] = *words;
	return program_run(all, why, why_size);
}

/* Only for the guests' domain; no checks of signatures, and no encryption, which dnsmasq has neither of. */
static bool tell_all(const struct policy_network *network, int number, char *why, size_t why_size)
{
	static char dns[] = "dns", domain[] = "domain", dnssec[] = "dnssec", tls[] = "dnsovertls",
		    route[] = "default-route", no[] = "no", revert[] = "revert";
	char index[16], servers[SERVERS_TEXT], routing[POLICY_DOMAIN_MAX + 2] = "~", *second;

	snprintf(index, sizeof(index), "%d", number);
	if (!dnsmasq_wanted(network))
		return tell(revert, index, NULL, why, why_size);
	write_servers(network, " ", servers, sizeof(servers));
	second = strchr(servers, ' ');
	if (second)
		*second++ = '\0';
	policy_domain(network, routing + 1);
	return tell(dns, index, (char *[]){servers, second, NULL}, why, why_size) &&
	       tell(dnssec, index, (char *[]){no, NULL}, why, why_size) &&
	       tell(tls, index, (char *[]){no, NULL}, why, why_size) &&
	       tell(route, index, (char *[]){no, NULL}, why, why_size) &&
	       tell(domain, index, (char *[]){routing, NULL}, why, why_size);
}

void resolver_settle(struct session *session, const struct policy_network *network)
{
	const struct link_interface *bridge = bridge_of(session, network);
	char said[512], why[512], domain[POLICY_DOMAIN_MAX + 1];

	policy_domain(network, domain);
	if (!bridge && session->dry && bridge_is_needed(network) && dnsmasq_wanted(network) && has_resolved())
		session_say(session, network->name, "told", "tell", "systemd-resolved who knows %s", domain);
	if (!bridge || !has_resolved() || is_told(session, network, bridge->index, said))
		return;
	if (!session->dry && !tell_all(network, bridge->index, why, sizeof(why))) {
		why[strcspn(why, "\n")] = '\0';
		say_warning("%s: systemd-resolved does not take who knows %s: %s", network->name, domain,
			*why ? QUOTED(((struct word){why, strlen(why)})) : "no answer");
		return;
	}
	forget(session);
	if (dnsmasq_wanted(network))
		session_say(session, network->name, "told", "tell", "systemd-resolved who knows %s", domain);
	else
		session_say(session, network->name, "had", "have", "systemd-resolved forget %s", domain);
}

const char *resolver_difference(struct session *session, const struct policy_network *network)
{
	const struct link_interface *bridge = bridge_of(session, network);
	char said[512];

	return !bridge || !has_resolved() || is_told(session, network, bridge->index, said) ? NULL
											    : "names on the host";
}

/* --- all others --------------------------------------------------------------------------------------------------- */

/* Whether a file of NetworkManager's dnsmasq names the domain. */
static bool is_named(const char *domain)
{
	DIR *directory = opendir(NM_DIRECTORY);
	struct dirent *entry;
	char path[512], wanted[POLICY_DOMAIN_MAX + 3], *text;
	bool found = false;
	size_t size;

	snprintf(wanted, sizeof(wanted), "/%s/", domain);
	while (directory && !found && (entry = readdir(directory))) {
		snprintf(path, sizeof(path), NM_DIRECTORY "/%s", entry->d_name);
		text = *entry->d_name != '.' ? file_read_whole(path, FILE_MAX, &size) : NULL;
		found = text && memmem(text, size, wanted, strlen(wanted));
		free(text);
	}
	if (directory)
		closedir(directory);
	return found;
}

bool resolver_advice(const struct policy_network *network, char *buffer, size_t size)
{
	const enum resolver resolver = resolver_of_host();
	char domain[POLICY_DOMAIN_MAX + 1], server[SERVERS_TEXT];

	*buffer = '\0';
	if (!policy_has_names(network) || (resolver != RESOLVER_NM_DNSMASQ && resolver != RESOLVER_OWN))
		return false;
	policy_domain(network, domain);
	write_servers(network, " ", server, sizeof(server));
	server[strcspn(server, " ")] = '\0';
	if (resolver == RESOLVER_NM_DNSMASQ && !is_named(domain))
		text_append(buffer, size,
			"for the host to know its guests by name, run: echo server=/%s/%s >>" NM_DIRECTORY
			"/tapgate.conf && nmcli general reload dns-full",
			domain, server);
	else if (resolver == RESOLVER_OWN)
		text_append(buffer, size,
			"for the host to know its guests by name, have the name server in /etc/resolv.conf ask %s for %s; to dnsmasq that is: server=/%s/%s",
			server, domain, domain, server);
	return *buffer;
}
