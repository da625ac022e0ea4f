/*
 * What comes through taps that users hold, and what their holders do with them. Runs as root in a guest that is a host
 * itself (tests/guest/vlan.sh), and takes the descriptors from the processes that tests/guest/hold keeps.
 *
 *	ports send NAME TAGS [FROM]  a broadcast frame, from that address; prints who got it, as "NAME:TAGS ..."
 *	ports flood NAME COUNT       so many frames, each from another address
 *	ports bpdu NAME TAGS         the best BPDU there can be
 *	ports ioctls NAME            what the tap's holder can try, with the holder's rights; prints what came of it
 *	ports with LINE COMMAND...   runs it, and the shell's LINE when $tap is up and its helper has not read it back
 *	ports vhost DESCRIPTOR       whether this is one of /dev/vhost-net
 *
 * TAGS are numbers of VLANs, the outermost first, "ad:" before those of 802.1ad, ',' between; or "-" for none.
 *
 * After a frame `send` lets others follow, by which each port knows that what has not come by then does not come: to
 * all from the port named trunk, tagged for VLANs 1, 10 and 20, and to that from the one named plain, in VLAN 1.
 */
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <linux/vhost.h>
#include <net/if.h>
#include <netinet/ether.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PORTS_MAX = 16, TAG_8021Q = 0x8100, TAG_8021AD = 0x88a8, EXPERIMENTAL = 0x88b5, PATIENCE_MS = 5000 };
enum kind { PROBE = 1, LAST = 2 }; /* the byte behind the type */

static struct port {
	char name[16];
	int pid, tap;
} ports[PORTS_MAX];
static size_t count;

static struct {
	unsigned char data[512];
	size_t size;
} frame;

static _Noreturn void fail(const char *what)
{
	fprintf(stderr, "ports: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* --- the taps ---------------------------------------------------------------------------------------------------- */

/* The descriptor of /dev/net/tun that a process has, as one of our own. */
static int take_tap(int pid)
{
	char path[64], target[64] = "";
	int pidfd = (int)syscall(SYS_pidfd_open, pid, 0), tap = -1;
	struct dirent *entry;
	DIR *fds;

	snprintf(path, sizeof(path), "/proc/%d/fd", pid);
	fds = opendir(path);
	if (pidfd < 0 || !fds)
		fail(path);
	while (tap < 0 && (entry = readdir(fds))) {
		ssize_t size = readlinkat(dirfd(fds), entry->d_name, target, sizeof(target) - 1);

		target[size > 0 ? size : 0] = '\0';
		if (strcmp(target, "/dev/net/tun") == 0)
			tap = (int)syscall(SYS_pidfd_getfd, pidfd, atoi(entry->d_name), 0);
	}
	if (tap < 0 || fcntl(tap, F_SETFL, O_RDWR | O_NONBLOCK) < 0)
		fail(path);
	closedir(fds);
	close(pidfd);
	return tap;
}

static void take_ports(void)
{
	struct dirent **entries;
	int found = scandir("/run/ports", &entries, NULL, alphasort);

	for (int i = 0; i < found && count < PORTS_MAX; i++) {
		struct port *port = &ports[count];
		char path[512];
		FILE *file;

		snprintf(path, sizeof(path), "/run/ports/%s/pid", entries[i]->d_name);
		file = entries[i]->d_name[0] != '.' ? fopen(path, "re") : NULL;
		if (!file)
			continue;
		if (fscanf(file, "%d", &port->pid) != 1)
			fail(path);
		fclose(file);
		snprintf(port->name, sizeof(port->name), "%.15s", entries[i]->d_name);
		port->tap = take_tap(port->pid);
		count++;
	}
}

static const struct port *port_of(const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(ports[i].name, name) == 0)
			return &ports[i];
	errno = ENOENT;
	fail(name);
}

/* --- frames ------------------------------------------------------------------------------------------------------ */

static void put(const void *data, size_t size)
{
	memcpy(frame.data + frame.size, data, size);
	frame.size += size;
}

static void put_16(unsigned int number)
{
	put(&(uint16_t){htons((uint16_t)number)}, 2);
}

static void put_mac(const char *text)
{
	struct ether_addr mac;

	if (!ether_aton_r(text, &mac))
		fail(text);
	put(&mac, 6);
}

/* Up to the type. */
static void begin(const char *to, const char *from, const char *tags)
{
	char *end = (char *)(uintptr_t)tags;

	frame.size = 0;
	put_mac(to);
	put_mac(from);
	while (*tags && *tags != '-') {
		bool ad = strncmp(tags, "ad:", 3) == 0;

		put_16(ad ? TAG_8021AD : TAG_8021Q);
		put_16((unsigned int)strtoul(tags + (ad ? 3 : 0), &end, 10));
		tags = *end == ',' ? end + 1 : end;
	}
}

static void write_frame(const struct port *port)
{
	while (frame.size < 100)
		frame.data[frame.size++] = 0;
	if (write(port->tap, frame.data, frame.size) != (ssize_t)frame.size)
		fail(port->name);
}

static void send_kind(const struct port *port, enum kind kind, const char *from, const char *tags)
{
	begin("ff:ff:ff:ff:ff:ff", from, tags);
	put_16(EXPERIMENTAL);
	put(&(unsigned char){(unsigned char)kind}, 1);
	write_frame(port);
}

/* What kind of frame this is, and its tags; 0: none of ours. */
static int read_frame(const unsigned char *data, ssize_t size, char tags[static 64])
{
	size_t used = 0;
	ssize_t at = 12;

	strcpy(tags, "-");
	for (; at + 4 < size && used < 48; at += 4) {
		unsigned int type = (unsigned int)data[at] << 8 | data[at + 1];
		unsigned int vlan = ((unsigned int)data[at + 2] << 8 | data[at + 3]) & 0xfff;

		if (type == EXPERIMENTAL)
			return data[at + 2];
		if (type != TAG_8021Q && type != TAG_8021AD)
			return 0;
		used += (size_t)snprintf(
			tags + used, 64 - used, "%s%s%u", used ? "," : "", type == TAG_8021AD ? "ad:" : "", vlan);
	}
	return 0;
}

/* Print every probe that comes, until the last frame does. */
static void print_probes(const struct port *port, bool *any)
{
	unsigned char data[2048];
	struct pollfd wait = {.fd = port->tap, .events = POLLIN};
	char tags[64];

	for (;;) {
		ssize_t size = read(port->tap, data, sizeof(data));
		int kind = size > 0 ? read_frame(data, size, tags) : 0;

		if (kind == LAST)
			return;
		if (kind == PROBE) {
			printf("%s%s:%s", *any ? " " : "", port->name, tags);
			*any = true;
		}
		if (size < 0 && poll(&wait, 1, PATIENCE_MS) <= 0) {
			printf(" (nothing comes to %s any more)", port->name);
			return;
		}
	}
}

static bool is_8021ad(void)
{
	char protocol[16] = "";
	FILE *file = fopen("/sys/class/net/br0/bridge/vlan_protocol", "re");

	if (!file || !fgets(protocol, sizeof(protocol), file))
		fail("br0");
	fclose(file);
	return strncmp(protocol, "0x88a8", 6) == 0;
}

static void send_probe(const struct port *port, const char *tags, const char *from)
{
	static const char *const last[][3] = {{"1", "10", "20"}, {"ad:1", "ad:10", "ad:20"}};
	const struct port *trunk = port_of("trunk"), *plain = port_of("plain");
	unsigned char data[2048];
	bool any = false;

	for (size_t i = 0; i < count; i++)
		while (read(ports[i].tap, data, sizeof(data)) > 0)
			;
	send_kind(port, PROBE, from, tags);
	for (size_t i = 0; i < 3; i++)
		send_kind(trunk, LAST, "02:00:00:00:01:01", last[is_8021ad()][i]);
	send_kind(plain, LAST, "02:00:00:00:01:02", "-");
	for (size_t i = 0; i < count; i++)
		if (&ports[i] != port)
			print_probes(&ports[i], &any);
	printf("%s\n", any ? "" : "nobody");
}

static void flood(const struct port *port, unsigned long frames)
{
	for (unsigned long i = 0; i < frames; i++) {
		char from[32];

		snprintf(from, sizeof(from), "02:00:01:00:%02lx:%02lx", i >> 8 & 0xff, i & 0xff);
		send_kind(port, PROBE, from, "-");
	}
}

/* A configuration BPDU (IEEE 802.1D, 9.3.1) of a bridge with the best priority and the lowest address there is. */
static void send_bpdu(const struct port *port, const char *tags)
{
	static const unsigned char bpdu[38] = {
		0x42,
		0x42,
		3,			      /* LLC */
		[3 + 5 + 7] = 1,	      /* root: 0000.000000000001 */
		[3 + 5 + 8 + 4 + 7] = 1,      /* sender: the same */
		[3 + 5 + 8 + 4 + 8] = 0x80,   /* its port */
		[3 + 5 + 8 + 4 + 8 + 4] = 20, /* maximum age, hello time, forward delay: 20, 2, 15 s */
		[3 + 5 + 8 + 4 + 8 + 6] = 2,
		[3 + 5 + 8 + 4 + 8 + 8] = 15,
	};

	begin("01:80:c2:00:00:00", "52:54:00:00:00:01", tags);
	put_16(sizeof(bpdu));
	put(bpdu, sizeof(bpdu));
	write_frame(port);
}

/* --- the holder -------------------------------------------------------------------------------------------------- */

static void become_holder(int pid)
{
	struct stat status;
	char path[32];

	snprintf(path, sizeof(path), "/proc/%d", pid);
	if (stat(path, &status) < 0 || syscall(SYS_setgroups, 0, NULL) < 0 ||
		setresgid(status.st_gid, status.st_gid, status.st_gid) < 0 ||
		setresuid(status.st_uid, status.st_uid, status.st_uid) < 0 || status.st_uid == 0)
		fail(path);
}

static void tell(const char *what, int result)
{
	printf("%s: %s\n", what, result < 0 ? strerror(errno) : "done");
}

static void try_ioctls(const struct port *port)
{
	struct ifreq request = {.ifr_flags = 0};
	int tap = port->tap, number;

	become_holder(port->pid);
	tell("owner", ioctl(tap, TUNSETOWNER, 1001));
	tell("group", ioctl(tap, TUNSETGROUP, 1001));
	tell("persist", ioctl(tap, TUNSETPERSIST, 1));
	tell("link type", ioctl(tap, TUNSETLINK, 1));
	tell("offloads", ioctl(tap, TUNSETOFFLOAD, TUN_F_CSUM | TUN_F_TSO4));
	tell("header", ioctl(tap, TUNSETVNETHDRSZ, &(int){12}));
	tell("buffer", ioctl(tap, TUNSETSNDBUF, &(int){1 << 20}));
	tell("carrier off", ioctl(tap, TUNSETCARRIER, &(int){0}));
	tell("carrier on", ioctl(tap, TUNSETCARRIER, &(int){1}));
	memcpy(request.ifr_hwaddr.sa_data, "\x52\x54\0\0\0\x77", 6);
	request.ifr_hwaddr.sa_family = 1; /* ARPHRD_ETHER */
	tell("hardware address", ioctl(tap, SIOCSIFHWADDR, &request));
	memset(&request, 0, sizeof(request));
	request.ifr_flags = IFF_DETACH_QUEUE;
	tell("queue", ioctl(tap, TUNSETQUEUE, &request));
	memset(&request, 0, sizeof(request));
	request.ifr_flags = IFF_TAP | IFF_NO_PI;
	number = open("/dev/net/tun", O_RDWR | O_CLOEXEC);
	tell("another tap", ioctl(number, TUNSETIFF, &request));
	tell("not persist", ioctl(tap, TUNSETPERSIST, 0));
}

/* --- meanwhile --------------------------------------------------------------------------------------------------- */

/* " 5 " */
static const char *index_of(const char *interface)
{
	static char text[16];

	snprintf(text, sizeof(text), " %u ", if_nametoindex(interface));
	return text;
}

/* A tap of the helper's that is up, and has none of these indexes, " 5 6 ". */
static bool find_new_tap(const char *known, char name[static 16])
{
	char path[64], alias[64];
	unsigned int flags;
	bool found = false;
	struct dirent *entry;
	DIR *links = opendir("/sys/class/net");

	while (links && !found && (entry = readdir(links))) {
		FILE *file;

		snprintf(path, sizeof(path), "/sys/class/net/%.15s/ifalias", entry->d_name);
		file = fopen(path, "re");
		found = file && fgets(alias, sizeof(alias), file) && strncmp(alias, "tapgate uid=", 12) == 0;
		if (file)
			fclose(file);
		snprintf(path, sizeof(path), "/sys/class/net/%.15s/flags", entry->d_name);
		file = found ? fopen(path, "re") : NULL;
		found = file && fscanf(file, "%x", &flags) == 1 && (flags & 1);
		if (file)
			fclose(file);
		if (found)
			snprintf(name, 16, "%.15s", entry->d_name);
		if (found)
			found = !strstr(known, index_of(entry->d_name));
	}
	if (links)
		closedir(links);
	return found;
}

/* Trace a process and what it starts until there is such a tap; then run the shell's line, and leave them alone. */
static _Noreturn void trace(pid_t process, int ready, const char *line)
{
	const long options = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE;
	char tap[16], known[1024] = " ";
	bool done = false;
	int status;
	pid_t one;

	while (find_new_tap(known, tap))
		strncat(known, index_of(tap), sizeof(known) - strlen(known) - 1);
	if (ptrace(PTRACE_SEIZE, process, NULL, options) < 0 || ptrace(PTRACE_INTERRUPT, process, NULL, NULL) < 0 ||
		write(ready, "", 1) != 1)
		fail("trace");
	close(ready);
	while ((one = waitpid(-1, &status, __WALL)) > 0) {
		int signal = WSTOPSIG(status);

		if (!WIFSTOPPED(status))
			continue;
		if (!done && find_new_tap(known, tap)) {
			done = true;
			setenv("tap", tap, 1);
			if (system(line) != 0)
				fprintf(stderr, "ports: failed: %s\n", line);
		}
		if (status >> 16 || signal == SIGTRAP || signal == (SIGTRAP | 0x80))
			signal = 0;
		ptrace(done ? PTRACE_DETACH : PTRACE_SYSCALL, one, NULL, signal);
	}
	exit(0);
}

/*
 * Become a command; and run a line as soon as there is a tap that is up: its helper then has not read it back yet. Root
 * may trace a setuid program without taking anything from it.
 */
static int run_with(const char *line, char **command)
{
	pid_t process = getpid();
	int ready[2];
	char byte;

	if (pipe(ready) < 0)
		fail("pipe");
	if (fork() == 0)
		trace(process, ready[1], line);
	close(ready[1]);
	if (read(ready[0], &byte, 1) == 1)
		execvp(*command, command);
	fail(*command);
}

int main(int argc, char **argv)
{
	const char *what = argc > 2 ? argv[1] : "";
	uint64_t features;

	if (strcmp(what, "vhost") == 0) {
		if (ioctl(atoi(argv[2]), VHOST_GET_FEATURES, &features) < 0)
			fail(argv[2]);
		printf("vhost features %#llx\n", (unsigned long long)features);
		return 0;
	}
	if (strcmp(what, "with") == 0 && argc > 3)
		return run_with(argv[2], argv + 3);
	take_ports();
	if (strcmp(what, "send") == 0 && argc > 3) {
		send_probe(port_of(argv[2]), argv[3], argc > 4 ? argv[4] : "02:00:00:00:00:01");
	} else if (strcmp(what, "flood") == 0 && argc > 3) {
		flood(port_of(argv[2]), strtoul(argv[3], NULL, 10));
	} else if (strcmp(what, "bpdu") == 0 && argc > 3) {
		send_bpdu(port_of(argv[2]), argv[3]);
	} else if (strcmp(what, "ioctls") == 0) {
		try_ioctls(port_of(argv[2]));
	} else {
		fprintf(stderr, "ports: no such words; see tests/guest/ports.c\n");
		return 1;
	}
	return 0;
}
