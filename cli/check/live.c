// SPDX-License-Identifier: MIT
/*
 * What `tapgate check --live` looks at: the running host, beside what the policy wants of it. Each finding names the
 * cause and the way out. What keeps every request from being served is an error, all else a warning.
 */
#include "cli/check/check.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <linux/capability.h>
#include <linux/securebits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "judge/judge.h"
#include "networks/networks.h"
#include "tool/tool.h"

bool live_is_foreign(const struct policy *policy, const char *interface)
{
	const struct policy_network *network = load_find(policy, interface);

	if (network)
		return network->mode == MODE_BRIDGED;
	for (size_t i = 0; i < policy_rule_count(policy); i++) {
		const struct policy_rule rule = policy_rule(policy, i);

		if (rule.allow && strcmp(rule.network, interface) == 0)
			return true;
	}
	return false;
}

bool live_shows(const struct live *live, const char *network, const struct link_interface *tap)
{
	struct alias_tap alias = {.uid = VIEWER_NOBODY};

	return load_shows(live->policy, network, tap && alias_read_tap(tap, &alias) ? alias.uid : VIEWER_NOBODY);
}

bool live_has(const char *interface, const char *file)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "/sys/class/net/%s/%s", interface, file);
	return access(path, F_OK) == 0;
}

/* --- privileges --------------------------------------------------------------------------------------------------- */

/*
 * What any program that is started from here can have of privileges, whatever bits its file has: what units, containers
 * and namespaces take away.
 */

enum { UNMAPPED = 65534 }; /* /proc/sys/kernel/overflowuid */

static bool lacks_root(void)
{
	FILE *file = fopen("/proc/self/uid_map", "re");
	char line[128];
	bool found = false, any = false;

	while (file && fgets(line, sizeof(line), file)) { /* first inside, first outside, how many */
		any = true;
		found |= strtoul(line, NULL, 10) == 0;
	}
	if (file)
		fclose(file);
	return any && !found;
}

/* Whether a file of that owner is root's, also as it is seen in a user namespace without root (user_namespaces(7)). */
static bool is_roots(uid_t owner)
{
	return owner == 0 || (owner == UNMAPPED && lacks_root());
}

/* helper: as it is shown. */
static void look_at_privileges(struct live *live, const char *helper, bool has_capability)
{
	int securebits = prctl(PR_GET_SECUREBITS, 0, 0, 0, 0);

	if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1)
		LIVE_ERROR(live, "no-new-privs",
			"what is started from here gets no privileges (no_new_privs is set, as by Flatpak, containers and some units), so %s does nothing; start virtual machines outside of it",
			helper);
	if (prctl(PR_CAPBSET_READ, CAP_NET_ADMIN, 0, 0, 0) == 0)
		LIVE_ERROR(live, "capabilities",
			"what is started from here cannot have CAP_NET_ADMIN, not even as root, so %s does nothing; in a unit: add CAP_NET_ADMIN to CapabilityBoundingSet=; in a container: add the capability (--cap-add NET_ADMIN)",
			helper);
	if (securebits > 0 && (securebits & SECBIT_NOROOT) && !has_capability)
		LIVE_ERROR(live, "securebits",
			"root's programs have no capabilities here (securebits noroot), so %s does nothing; in a unit: take noroot out of SecureBits=; or, instead of the setuid bit: setcap cap_net_admin=ep %s",
			helper, helper);
	if (lacks_root())
		LIVE_ERROR(live, "namespace",
			"this is a user namespace without root, where root's setuid bit has no effect, so %s does nothing; start virtual machines outside of it",
			helper);
}

/* The installed helper, and the devices that it opens: what keeps it from serving anybody. */

/* --- the helper --------------------------------------------------------------------------------------------------- */

/* Whether a file has cap_net_admin to give, in effect at once (capabilities(7), struct vfs_cap_data). */
static bool has_capability(const char *path)
{
	struct vfs_ns_cap_data data;
	ssize_t size = getxattr(path, "security.capability", &data, sizeof(data));

	return size >= (ssize_t)offsetof(struct vfs_ns_cap_data, data[1]) &&
	       (le32toh(data.magic_etc) & VFS_CAP_FLAGS_EFFECTIVE) &&
	       (le32toh(data.data[0].permitted) & (1U << CAP_NET_ADMIN));
}

/*
 * What mends its owner and bits. Where something makes a wrapper of it, or its file system cannot be written, as NixOS
 * has it, no command does.
 */
static void append_way_out(char *text, size_t size, const char *shown, bool owned, bool read_only)
{
#ifdef HELPER_WRAPPER
	read_only = true;
#endif
	if (read_only)
		text_append(text, size,
			"have a wrapper made for it that is root's and setuid (NixOS: security.wrappers), and name that in TAPGATE_HELPER, or as WRAPPER= when tapgate is built");
	else
		text_append(text, size, "run: %s%s%schmod 4755 %s (or: setcap cap_net_admin=ep %s)",
			owned ? "" : "chown root:root ", owned ? "" : shown, owned ? "" : " && ", shown, shown);
}

#define SERVICE_SOCKET "/run/tapgate/helper.sock"

/* Whether the service answers: to a request that it refuses for its words, before it looks at anything else. */
static bool service_answers(int sock)
{
	static const char words[] = "check";
	const struct timeval patience = {.tv_sec = 3};
	char text[2048];
	size_t used = 0;
	ssize_t size;

	if (setsockopt(sock, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) < 0 ||
		send(sock, words, sizeof(words), MSG_NOSIGNAL) < 0)
		return false;
	while (used < sizeof(text) && (size = recv(sock, text + used, sizeof(text) - used, 0)) > 0)
		used += (size_t)size;
	return used > 0 && text[used - 1] == EXIT_USAGE;
}

static void look_at_service(struct live *live)
{
	const struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = SERVICE_SOCKET};
	int sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (sock >= 0 && connect(sock, (const struct sockaddr *)&address, sizeof(address)) == 0) {
		live->served = service_answers(sock);
		if (live->served)
			findings_add_note(live->findings, "the service behind " SERVICE_SOCKET " answers");
		else
			LIVE_WARN(live, NULL, "service",
				"the service behind " SERVICE_SOCKET
				" does not answer; run: journalctl -u tapgate-helper");
	} else if (errno == EACCES) {
		findings_add_note(live->findings, "this user may not use the service behind " SERVICE_SOCKET);
	} else if (errno != ENOENT) {
		LIVE_WARN(live, NULL, "service",
			"the service behind " SERVICE_SOCKET
			" cannot be reached (%s); run: systemctl restart tapgate-helper.socket",
			strerror(errno));
	}
	if (sock >= 0)
		close(sock);
}

static void look_at_rights(struct live *live, const char *path, const char *shown, const struct stat *status)
{
	bool setuid = status->st_mode & S_ISUID, capability = has_capability(path);
	bool owned = is_roots(status->st_uid);
	struct statvfs system = {0};
	char way_out[1024] = "";

	statvfs(path, &system);
	append_way_out(way_out, sizeof(way_out), shown, owned, system.f_flag & ST_RDONLY);
	if (setuid && !owned && !capability)
		LIVE_ERROR(live, "helper", "%s is setuid to uid %u, not to root, so it may not make taps; %s", shown,
			status->st_uid, way_out);
	else if (!setuid && !capability && !live->served)
		LIVE_ERROR(live, "helper",
			"%s has neither the setuid bit nor the capability cap_net_admin, so it may not make taps; %s",
			shown, way_out);
	else if (!owned && (setuid || capability))
		LIVE_WARN(live, NULL, "helper",
			"%s belongs to uid %u, who can change it; run: chown root:root %s && setcap cap_net_admin=ep %s",
			shown, status->st_uid, shown, shown);
	if (status->st_mode & (S_IWGRP | S_IWOTH))
		LIVE_WARN(live, NULL, "helper",
			"%s can be written by others than its owner (mode %04o); run: chmod go-w %s", shown,
			status->st_mode & 07777U, shown);
	if ((system.f_flag & ST_NOSUID) && !live->served)
		LIVE_ERROR(live, "helper",
			"%s is on a file system that is mounted nosuid, where the setuid bit and capabilities have no effect; mount it without nosuid, or install tapgate elsewhere",
			shown);
}

/* Who can write to a directory on the way can put another program there; not all who can write a sticky one. */
static void look_at_way(struct live *live, const char *path)
{
	char way[PATH_MAX], shown[256] = "";
	struct stat status, entry;
	char *slash = realpath(path, way) && stat(way, &entry) == 0 ? strrchr(way, '/') : NULL;

	for (; slash; slash = slash == way ? NULL : strrchr(way, '/'), entry = status) {
		slash[slash == way] = '\0'; /* the root directory keeps its slash */
		if (stat(way, &status) < 0)
			return;
		if (!is_roots(status.st_uid) || !trust_holds(&status, &entry))
			break;
	}
	if (!slash)
		return;
	text_append_escaped(shown, sizeof(shown), (struct word){way, strlen(way)});
	LIVE_WARN(live, NULL, "helper",
		"%s, where the helper is, can be written by others than root (uid %u, mode %04o), who can put another program there; run: chown root %s && chmod go-w %s",
		shown, status.st_uid, status.st_mode & 07777U, shown, shown);
}

static void look_at_helper(struct live *live)
{
	char path[PATH_MAX], shown[256] = "", who[HELPER_WHO_MAX];
	struct stat status;

	if (!helper_find(path))
		return;
	text_append_escaped(shown, sizeof(shown), (struct word){path, strlen(path)});
	if (stat(path, &status) < 0)
		LIVE_ERROR(live, "helper", "%s: %s; install tapgate whole, or name the helper in TAPGATE_HELPER", shown,
			strerror(errno));
	else if (!S_ISREG(status.st_mode) || !(status.st_mode & 0111))
		LIVE_ERROR(live, "helper", "%s is not a program; install tapgate again", shown);
	else
		look_at_rights(live, path, shown, &status);
	look_at_way(live, path);
	if (stat(path, &status) == 0 && S_ISREG(status.st_mode) && helper_say_who(path, who, sizeof(who)))
		findings_add_note(live->findings, "%s (mode %04o)", who, status.st_mode & 07777U);
	if (!live->served)
		look_at_privileges(live, shown, has_capability(path));
}

/* --- devices ------------------------------------------------------------------------------------------------------ */

/* Its number by Documentation/admin-guide/devices.txt in the kernel's source. */
#define TUN_DEVICE makedev(10, 200)

/* Who may open a device that is not open to everybody; an access control list shows in the group's bits (acl(5)). */
static void name_users(const struct stat *status, char *who, size_t size)
{
	const struct group *group = (status->st_mode & 0060) == 0060 ? getgrgid(status->st_gid) : NULL;

	who[0] = '\0';
	if ((status->st_mode & 0060) != 0060)
		text_append(who, size, "root");
	else if (group)
		text_append(who, size, "root and group %s",
			QUOTED(((struct word){group->gr_name, strlen(group->gr_name)})));
	else
		text_append(who, size, "root and group %u", status->st_gid);
}

/*
 * What stands there, before it matters who may open it. A device whose driver is not in the kernel is there all the
 * same (kmod-static-nodes.service), as after an upgrade that removed the running kernel's modules.
 */
static bool is_tun(struct live *live, const char *path, struct stat *status)
{
	int error = stat(path, status) < 0 ? errno : 0, fd;

	if (!error && (!S_ISCHR(status->st_mode) || status->st_rdev != TUN_DEVICE)) {
		LIVE_ERROR(live, "tun",
			"%s is something else than the device 10:200, so no tap can be made; run: rm %s && mknod -m 666 %s c 10 200",
			path, path, path);
		return false;
	}
	if (!error && (fd = open(path, O_RDWR | O_CLOEXEC)) >= 0)
		close(fd);
	else if (!error && (errno == ENODEV || errno == ENXIO))
		error = errno;
	if (error)
		LIVE_ERROR(live, "tun",
			"%s: %s, so no tap can be made; run: modprobe tun (in a container: add the device)", path,
			strerror(error));
	return !error;
}

static void look_at_tun(struct live *live)
{
	static const char path[] = "/dev/net/tun", way[] = "/dev/net";
	struct stat status;
	char who[128];

	if (!is_tun(live, path, &status))
		return;
	if ((status.st_mode & 0006) == 0006) {
		if (stat(way, &status) == 0 && !(status.st_mode & S_IXOTH))
			LIVE_ERROR(live, "tun",
				"%s is not open to everybody (mode %04o), and the helper opens %s as the user who asks; run: chmod 755 %s",
				way, status.st_mode & 07777U, path, way);
		return;
	}
	name_users(&status, who, sizeof(who));
	if ((status.st_mode & 0060) == 0060)
		LIVE_WARN(live, NULL, "tun",
			"%s is for %s only (mode %04o), and the helper opens it as the user who asks; others are kept out until: chmod 666 %s",
			path, who, status.st_mode & 07777U, path);
	else
		LIVE_ERROR(live, "tun",
			"%s is for root only (mode %04o), and the helper opens it as the user who asks; run: chmod 666 %s",
			path, status.st_mode & 07777U, path);
}

/* Nobody needs it: QEMU does without. */
static void look_at_vhost(struct live *live)
{
	static const char path[] = "/dev/vhost-net";
	struct stat status;
	char who[128];

	if (stat(path, &status) < 0) {
		findings_add_note(
			live->findings, "%s: %s; for vhost=on run: modprobe vhost_net", path, strerror(errno));
		return;
	}
	if ((status.st_mode & 0006) == 0006)
		return;
	name_users(&status, who, sizeof(who));
	findings_add_note(live->findings, "%s is for %s only; others go without vhost=on", path, who);
}

static void look_at_all(struct live *live)
{
	look_at_service(live);
	look_at_helper(live);
	look_at_tun(live);
	look_at_vhost(live);
}

/* --- firewalls ---------------------------------------------------------------------------------------------------- */

/* Packets of our own find out what is in the way (networks/probe.c). */

/* --- managers of others ------------------------------------------------------------------------------------------- */

/* NetworkManager reads both places; in one of them is the file that has it leave our interfaces alone. */
static void look_at_network_manager(struct live *live)
{
	if (access("/run/NetworkManager", F_OK) == 0 &&
		access("/usr/lib/NetworkManager/conf.d/tapgate.conf", F_OK) < 0 &&
		access("/etc/NetworkManager/conf.d/tapgate.conf", F_OK) < 0)
		LIVE_WARN(live, NULL, "network-manager",
			"NetworkManager runs, and nothing tells it to leave taps alone, which it may take off their bridge; install tapgate.conf into /etc/NetworkManager/conf.d, and run: nmcli general reload");
}

/* --- what is in the way ------------------------------------------------------------------------------------------- */

static void tell_hindrance(void *context, const struct policy_network *network, const char *text)
{
	struct live *live = context;

	LIVE_WARN(live, network->name, network->mode == MODE_BRIDGED ? "br-netfilter" : "firewall", "%s", text);
}

static void look_at_firewall(struct live *live)
{
	const struct host *host = &live->session->host;
	size_t count;
	const struct policy_network *networks = policy_networks(live->policy, &count);
	struct probe *probe = probe_open(live->session);
	const char *left_out, *why;

	for (size_t i = 0; i < count; i++)
		probe_network(probe, &networks[i], tell_hindrance, live);
	for (size_t i = 0; i < host->interface_count; i++) {
		if (live_is_foreign(live->policy, host->interfaces[i].name))
			probe_foreign(probe, &host->interfaces[i], tell_hindrance, live);
	}
	left_out = probe_left_out(probe, &why);
	if (probe_why(probe))
		findings_add_note(live->findings,
			"no packet could be sent through the firewall, so that it was not looked at: %s",
			probe_why(probe));
	else if (left_out)
		findings_add_note(live->findings,
			"firewalls were not probed with %s: %s; run it as root in a shell, outside of units and containers",
			left_out, why);
	probe_close(probe);
}

static void look_at_firewalls(struct live *live)
{
	struct firewall *firewall = NULL;

	look_at_network_manager(live);
	if (!live->session->nft) {
		live->hidden |= geteuid() != 0 || live->session->nftables;
		return;
	}
	if (firewall_look(live->session, &firewall) != 0)
		findings_add_note(
			live->findings, "the rules of other firewalls could not be read, and were not looked at");
	look_at_firewall(live);
}

/* --- all of it ---------------------------------------------------------------------------------------------------- */

void live_look(struct session *session, const struct policy *policy, uint32_t lacks, struct findings *findings)
{
	struct live live = {.session = session, .policy = policy, .findings = findings};

	look_at_all(&live);
	if (lacks & KERNEL_LACKS_PROGRAMS)
		LIVE_ERROR(&live, "kernel",
			"this kernel cannot keep taps and the host apart, so nobody gets a tap on a bridge; take one that has CONFIG_NET_SCH_INGRESS and CONFIG_NET_CLS_BPF, or run: modprobe -a sch_ingress cls_bpf");
	if (policy) {
		live_networks(&live);
		live_bridges(&live);
		look_at_firewalls(&live);
	}
	if (live.hidden && geteuid() == 0 && !session->nft)
		findings_add_note(
			findings, "guards and firewalls are shown to nobody here, as CAP_NET_ADMIN is missing");
	else if (live.hidden)
		findings_add_note(
			findings, "guards, DHCP and firewalls are shown to root only; try: sudo tapgate check --live");
}
