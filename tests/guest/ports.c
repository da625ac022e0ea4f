// SPDX-License-Identifier: MIT
/*
 * What comes through taps that users hold, and what their holders do with them. Runs as root in a guest that is a host
 * itself (tests/guest/vlan.sh), and takes the descriptors from the processes that tests/guest/hold keeps.
 *
 *	ports send NAME TAGS [FROM]  a broadcast frame, from that address; prints who got it, as "NAME:TAGS ..."
 *	ports flood NAME COUNT       so many frames, each from another address
 *	ports bpdu NAME TAGS         the best BPDU there can be
 *	ports burst NAME TO KBIT     ten megabytes, in frames of IPv4 and IPv6 by all its queues in turn, to a port;
 *	                             prints whether "all" came, or no more than KBIT a second: "within", "beyond"
 *	ports ioctls NAME            what the tap's holder can try, with the holder's rights; prints what came of it
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
#include <net/if.h>
#include <netinet/ether.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { QUEUES_MAX = 16 };
enum { PORTS_MAX = 16, TAG_8021Q = 0x8100, TAG_8021AD = 0x88a8, EXPERIMENTAL = 0x88b5, PATIENCE_MS = 5000 };
enum kind { PROBE = 1, LAST = 2 }; /* the byte behind the type */

static struct port {
	char name[16];
	int pid, tap;
	int queues[QUEUES_MAX]; /* all of the tap's descriptors, that one first */
	size_t queue_count;
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

/* --- the taps ----------------------------------------------------------------------------------------------------- */

/* The descriptors of /dev/net/tun that a process has, as some of our own. */
static void take_tap(struct port *port)
{
	char path[64], target[64] = "";
	int pid = port->pid, pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	struct dirent *entry;
	DIR *fds;

	snprintf(path, sizeof(path), "/proc/%d/fd", pid);
	fds = opendir(path);
	if (pidfd < 0 || !fds)
		fail(path);
	while (port->queue_count < QUEUES_MAX && (entry = readdir(fds))) {
		ssize_t size = readlinkat(dirfd(fds), entry->d_name, target, sizeof(target) - 1);
		int tap;

		target[size > 0 ? size : 0] = '\0';
		if (strcmp(target, "/dev/net/tun") != 0)
			continue;
		tap = (int)syscall(SYS_pidfd_getfd, pidfd, atoi(entry->d_name), 0);
		if (tap < 0 || fcntl(tap, F_SETFL, O_RDWR | O_NONBLOCK) < 0)
			fail(path);
		port->queues[port->queue_count++] = tap;
	}
	if (!port->queue_count)
		fail(path);
	port->tap = port->queues[0];
	closedir(fds);
	close(pidfd);
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
		take_tap(port);
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

/* --- frames ------------------------------------------------------------------------------------------------------- */

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

/* --- rates -------------------------------------------------------------------------------------------------------- */

static unsigned long milliseconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (unsigned long)now.tv_sec * 1000 + (unsigned long)now.tv_nsec / 1000000;
}

/* Bytes of such frames that have come to a port by now. */
static unsigned long receive_all(const struct port *port, const unsigned char *sent)
{
	unsigned char data[2048];
	unsigned long bytes = 0;
	ssize_t size;

	for (size_t i = 0; i < port->queue_count; i++) {
		while ((size = read(port->queues[i], data, sizeof(data))) > 0)
			bytes += memcmp(data, sent, 12) == 0 ? (unsigned long)size : 0;
	}
	return bytes;
}

/* What the kernel lets through at once is 128 KiB; a tenth of a second waits; and clocks are not exact. */
static void burst(const struct port *from, const struct port *to, unsigned long kbit)
{
	enum { FRAMES = 7000, SIZE = 1500, AT_ONCE = 128 * 1024, QUIET_MS = 500 };
	static unsigned char data[SIZE] = {2, 0, 0, 0, 0, 0x99, 2, 0, 0, 0, 0, 1};
	unsigned long begun = milliseconds(), got = 0, last = begun, most;

	for (size_t i = 0; i < FRAMES; i++) {
		const unsigned int type = i % 2 ? ETHERTYPE_IPV6 : ETHERTYPE_IP;

		data[12] = (unsigned char)(type >> 8);
		data[13] = (unsigned char)type;
		data[14] = i % 2 ? 0x60 : 0x45;
		if (write(from->queues[i % from->queue_count], data, SIZE) != SIZE)
			fail(from->name);
		got += receive_all(to, data);
	}
	while (last + QUIET_MS > milliseconds()) {
		const unsigned long more = receive_all(to, data);

		got += more;
		last = more ? milliseconds() : last;
		usleep(1000);
	}
	most = AT_ONCE + (milliseconds() - begun) * kbit / 8 * 11 / 10;
	fprintf(stderr, "%lu of %lu bytes in %lu ms, at most %lu\n", got, (unsigned long)FRAMES * SIZE,
		milliseconds() - begun, most);
	if (got == (unsigned long)FRAMES * SIZE)
		puts("all");
	else
		puts(got < AT_ONCE / 2 ? "hardly any" : got <= most ? "within" : "beyond");
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

/* --- the holder --------------------------------------------------------------------------------------------------- */

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

int main(int argc, char **argv)
{
	const char *what = argc > 2 ? argv[1] : "";

	take_ports();
	if (strcmp(what, "send") == 0 && argc > 3) {
		send_probe(port_of(argv[2]), argv[3], argc > 4 ? argv[4] : "02:00:00:00:00:01");
	} else if (strcmp(what, "flood") == 0 && argc > 3) {
		flood(port_of(argv[2]), strtoul(argv[3], NULL, 10));
	} else if (strcmp(what, "bpdu") == 0 && argc > 3) {
		send_bpdu(port_of(argv[2]), argv[3]);
	} else if (strcmp(what, "burst") == 0 && argc > 4) {
		burst(port_of(argv[2]), port_of(argv[3]), strtoul(argv[4], NULL, 10));
	} else if (strcmp(what, "ioctls") == 0) {
		try_ioctls(port_of(argv[2]));
	} else {
		fprintf(stderr, "ports: no such words; see tests/guest/ports.c\n");
		return 1;
	}
	return 0;
}
