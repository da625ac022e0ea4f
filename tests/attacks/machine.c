// SPDX-License-Identifier: MIT
/* Guests that are virtual machines: QEMU, its monitor, and the socket to the program in there. */
#include "tests/attacks/machine.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/attacks/attack.h"

enum {
	MACHINES = 3,
	WINDOW = 128,
	MARK = 0x88b6,
	MARK_SIZE = 60,
	TYPE = 12,
	NUMBER_AT = 14,
	BOOT = 120000,
	PATIENCE = 20000
};

/* A frame that came to the guest, and has not been read. */
struct heard {
	struct heard *next;
	size_t size;
	unsigned char bytes[];
};

static struct machine {
	pid_t qemu;		   /* 0: it has not been needed yet */
	int tap;		   /* what is plugged in, -1: nothing; the others are open as long */
	int monitor, wire, behind; /* `behind`: to send marks out of the tap */
	struct heard *first, *last;
	unsigned int given; /* frames, of which it has no more at once than it has room for */
	uint32_t mark;	    /* the last one that was sent, or came */
} machines[MACHINES];

bool by_guest(void)
{
	return getenv("BY_GUEST") != NULL;
}

static int64_t now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (int64_t)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

static const char *path_of(const struct machine *machine, const char *what)
{
	static char paths[8][64];
	static unsigned int next;
	char *path = paths[next++ % COUNT(paths)];

	snprintf(path, sizeof(paths[0]), "/run/guest/%zu.%s", (size_t)(machine - machines), what);
	return path;
}

/* With QEMU's last words, and the machine's. */
static void __attribute__((format(printf, 2, 3), noreturn))
fail_of(const struct machine *machine, const char *format, ...)
{
	char text[256];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	shell_status("tail -n 5 %s %s >&2", path_of(machine, "errors"), path_of(machine, "serial"));
	fail_msg("the guest's machine: %s", text);
	abort();
}

/* --- QEMU --------------------------------------------------------------------------------------------------------- */

/* An ordinary user's, as the machines of users are. */
static __attribute__((noreturn)) void become_qemu(const struct machine *machine)
{
	char line[2048];

	snprintf(line, sizeof(line),
		"exec $(command -v qemu-system-x86_64 || echo /usr/libexec/qemu-kvm) -accel tcg -machine pc -m 128 "
		"-nodefaults -no-user-config -display none -no-reboot -kernel /run/guest/vmlinuz "
		"-initrd /run/guest/initrd -append 'console=ttyS0 quiet panic=-1 no_timer_check "
		"ipv6.disable_ipv6=1 tapgate.relay=eth1' "
		"-netdev hubport,id=port,hubid=0 -device virtio-net-pci,netdev=port,romfile= "
		"-netdev dgram,id=wire,local.type=unix,local.path=%s,remote.type=unix,remote.path=%s "
		"-device virtio-net-pci,netdev=wire,romfile= -serial file:%s -qmp unix:%s,server=on,wait=off "
		"</dev/null >%s 2>&1",
		path_of(machine, "wire"), path_of(machine, "test"), path_of(machine, "serial"),
		path_of(machine, "monitor"), path_of(machine, "errors"));
	become(&alice);
	prctl(PR_SET_PDEATHSIG, SIGKILL); /* another user's would be forgotten */
	close_range(3, ~0U, 0);
	execl("/bin/sh", "sh", "-c", line, NULL);
	_exit(127);
}

static void set_path(struct sockaddr_un *address, const char *path)
{
	*address = (struct sockaddr_un){.sun_family = AF_UNIX};
	snprintf(address->sun_path, sizeof(address->sun_path), "%s", path);
}

/* As soon as QEMU has it. */
static int connect_to(const struct machine *machine, int fd, const char *what)
{
	struct sockaddr_un address;

	set_path(&address, path_of(machine, what));
	for (const int64_t end = now() + PATIENCE; connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0;) {
		if (now() > end || waitpid(machine->qemu, NULL, WNOHANG) != 0)
			fail_of(machine, "no socket %s", address.sun_path);
		usleep(10000);
	}
	return fd;
}

static int open_wire(const struct machine *machine)
{
	const char *path = path_of(machine, "test");
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	struct sockaddr_un address;

	set_path(&address, path);
	unlink(path);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(chmod(path, 0666), 0);
	return connect_to(machine, fd, "wire");
}

/* Whether the next line is a good answer to a command; else it is QEMU's greeting, or tells of an event. */
static bool answered(const struct machine *machine)
{
	struct pollfd ready = {.fd = machine->monitor, .events = POLLIN};
	char line[4096];
	size_t size = 0;

	do {
		if (poll(&ready, 1, PATIENCE) != 1 || read(machine->monitor, line + size, 1) != 1)
			fail_of(machine, "the monitor does not answer");
	} while (line[size++] != '\n' && size < sizeof(line) - 1);
	line[size] = '\0';
	if (strstr(line, "\"error\""))
		fail_of(machine, "the monitor says %s", line);
	return strstr(line, "\"return\"");
}

/* A command to QEMU; with a descriptor, unless that is -1. */
static void tell(const struct machine *machine, int fd, const char *command)
{
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = {.header = {.cmsg_len = CMSG_LEN(sizeof(int)), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS}};
	char words[256];
	struct iovec text = {words, (size_t)snprintf(words, sizeof(words), "%s\n", command)};
	struct msghdr message = {.msg_iov = &text, .msg_iovlen = 1};

	memcpy(CMSG_DATA(&control.header), &fd, sizeof(fd));
	if (fd >= 0) {
		message.msg_control = &control;
		message.msg_controllen = sizeof(control);
	}
	assert_int_equal(sendmsg(machine->monitor, &message, MSG_NOSIGNAL), text.iov_len);
	while (!answered(machine))
		;
}

/* --- frames ------------------------------------------------------------------------------------------------------- */

/* Everything that is there: frames for the guest are kept. Returns whether the last mark came. */
static bool take(struct machine *machine)
{
	unsigned char bytes[4096];
	bool marked = false;
	uint32_t number;
	ssize_t size;

	while ((size = recv(machine->wire, bytes, sizeof(bytes), 0)) >= 0) {
		struct heard *heard;

		if (size >= MARK_SIZE && (bytes[TYPE] << 8 | bytes[TYPE + 1]) == MARK) {
			memcpy(&number, bytes + NUMBER_AT, sizeof(number));
			marked |= number == machine->mark;
			continue;
		}
		heard = malloc(sizeof(*heard) + (size_t)size);
		assert_non_null(heard);
		heard->next = NULL;
		heard->size = (size_t)size;
		memcpy(heard->bytes, bytes, heard->size);
		*(machine->first ? &machine->last->next : &machine->first) = heard;
		machine->last = heard;
	}
	return marked;
}

static void make_mark(struct machine *machine, unsigned char mark[MARK_SIZE])
{
	machine->mark++;
	memset(mark, 0, MARK_SIZE);
	memcpy(mark, "\2\0\0\0\0\1\2\0\0\0\0\2\x88\xb6", NUMBER_AT);
	memcpy(mark + NUMBER_AT, &machine->mark, sizeof(machine->mark));
}

static bool mark_comes(struct machine *machine, int patience)
{
	const int64_t end = now() + patience;

	while (!take(machine)) {
		struct pollfd ready = {.fd = machine->wire, .events = POLLIN};

		if (now() >= end)
			return false;
		poll(&ready, 1, (int)(end - now()));
	}
	return true;
}

/* Meanwhile what comes is taken, as nothing may wait for the other in a circle. */
static bool put_on_wire(struct machine *machine, const void *bytes, size_t size)
{
	while (send(machine->wire, bytes, size, MSG_NOSIGNAL) < 0) {
		struct pollfd ready = {.fd = machine->wire, .events = POLLIN | POLLOUT};

		if (errno != EAGAIN)
			return false;
		take(machine);
		poll(&ready, 1, 100);
	}
	return true;
}

/* A mark by the wire comes back when all that went there before is out of the machine. */
static bool goes_round(struct machine *machine, int patience)
{
	unsigned char mark[MARK_SIZE];

	make_mark(machine, mark);
	return put_on_wire(machine, mark, sizeof(mark)) && mark_comes(machine, patience);
}

static void forget_all(struct machine *machine)
{
	while (machine->first) {
		struct heard *heard = machine->first;

		machine->first = heard->next;
		free(heard);
	}
}

/* --- machines and taps -------------------------------------------------------------------------------------------- */

static struct machine *machine_of(int tap)
{
	for (size_t i = 0; i < MACHINES; i++)
		if (machines[i].qemu && tap >= 0 && machines[i].tap == tap)
			return &machines[i];
	return NULL;
}

/* That of a tap that has one. */
static struct machine *the_machine(int tap)
{
	struct machine *machine = machine_of(tap);

	if (!machine)
		abort();
	return machine;
}

bool is_plugged(int tap)
{
	return machine_of(tap) != NULL;
}

static void boot(struct machine *machine)
{
	machine->tap = -1;
	machine->qemu = fork();
	if (machine->qemu == 0)
		become_qemu(machine);
	assert_true(machine->qemu > 0);
}

static void wait_for_boot(struct machine *machine)
{
	const int64_t end = now() + BOOT;

	while (!goes_round(machine, 100))
		if (now() > end || waitpid(machine->qemu, NULL, WNOHANG) != 0)
			fail_of(machine, "it has not booted");
}

/* It sends past the host's guards and past its programs' ears, from the tap's own queue to whoever reads there. */
static int open_behind(int tap)
{
	struct sockaddr_ll address = {.sll_family = AF_PACKET};
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0), on = 1;
	struct ifreq request = {0};

	assert_int_equal(ioctl(tap, TUNGETIFF, &request), 0);
	address.sll_ifindex = (int)if_nametoindex(request.ifr_name);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(setsockopt(fd, SOL_PACKET, PACKET_QDISC_BYPASS, &on, sizeof(on)), 0);
	return fd;
}

void plug(int tap)
{
	struct machine *machine = machines;

	while (machine < machines + MACHINES && machine->qemu && machine->tap >= 0)
		machine++;
	assert_true(machine < machines + MACHINES);
	if (!machine->qemu)
		boot(machine);
	machine->wire = open_wire(machine);
	machine->monitor = connect_to(machine, socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), "monitor");
	machine->behind = open_behind(tap);
	machine->tap = tap;
	wait_for_boot(machine);
	tell(machine, -1, "{\"execute\": \"qmp_capabilities\"}");
	tell(machine, tap, "{\"execute\": \"getfd\", \"arguments\": {\"fdname\": \"tap\"}}");
	tell(machine, -1,
		"{\"execute\": \"netdev_add\", \"arguments\": {\"type\": \"tap\", \"id\": \"tap\", \"fd\": \"tap\"}}");
	tell(machine, -1,
		"{\"execute\": \"netdev_add\", \"arguments\": "
		"{\"type\": \"hubport\", \"id\": \"plug\", \"hubid\": 0, \"netdev\": \"tap\"}}");
}

/* Twice round, as what came out of the tap may come behind the first mark. */
void unplug(int tap)
{
	struct machine *machine = machine_of(tap);

	if (!machine)
		return;
	tell(machine, -1, "{\"execute\": \"netdev_del\", \"arguments\": {\"id\": \"plug\"}}");
	tell(machine, -1, "{\"execute\": \"netdev_del\", \"arguments\": {\"id\": \"tap\"}}");
	if (!goes_round(machine, PATIENCE) || !goes_round(machine, PATIENCE))
		fail_of(machine, "it does not send");
	forget_all(machine);
	close(machine->wire);
	close(machine->monitor);
	close(machine->behind);
	machine->tap = -1;
}

void unplug_all(void)
{
	for (size_t i = 0; i < MACHINES; i++)
		if (machines[i].qemu && machines[i].tap >= 0)
			unplug(machines[i].tap);
}

ssize_t give_to_machine(int tap, const void *bytes, size_t size)
{
	struct machine *machine = the_machine(tap);

	if (!put_on_wire(machine, bytes, size))
		fail_of(machine, "it does not take a frame");
	if (++machine->given % WINDOW == 0)
		wait_for_machine(tap);
	return (ssize_t)size;
}

void wait_for_machine(int tap)
{
	struct machine *machine = the_machine(tap);

	if (!goes_round(machine, PATIENCE))
		fail_of(machine, "it does not send");
}

void drain(int tap)
{
	struct machine *machine = the_machine(tap);
	unsigned char mark[MARK_SIZE];

	make_mark(machine, mark);
	if (send(machine->behind, mark, sizeof(mark), 0) != MARK_SIZE || !mark_comes(machine, PATIENCE))
		fail_of(machine, "it does not hear");
}

ssize_t machine_reads(int tap, void *bytes, size_t size)
{
	struct machine *machine = the_machine(tap);
	struct heard *heard = machine->first;

	if (!heard)
		return -1;
	if (size > heard->size)
		size = heard->size;
	memcpy(bytes, heard->bytes, size);
	machine->first = heard->next;
	free(heard);
	return (ssize_t)size;
}
