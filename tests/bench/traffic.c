// SPDX-License-Identifier: MIT
/*
 * traffic: packets for tests/bench/packets, and how many of them went through.
 *
 *	traffic serve PORT                     answers all of the following, one after the other
 *	traffic ping  ADDRESS SECONDS          microseconds until an ICMP echo is back, the median
 *	traffic ask   ADDRESS SECONDS PORT     microseconds until a byte over TCP is back, the median
 *	traffic send  ADDRESS SECONDS PORT     megabits a second over one TCP connection, to the server
 *	traffic fetch ADDRESS SECONDS PORT     the same from the server
 *	traffic small ADDRESS SECONDS PORT     datagrams of 64 bytes a second that arrived there
 *
 * Prints one number. Addresses are IPv4. A connection begins with a letter, which is the kind of traffic; see serve().
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/ip_icmp.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
	PATIENCE_MS = 5000, /* for what has to come */
	QUIET_MS = 200,	    /* then no more comes */
	SMALL = 64,
	LARGE = 65536,
	SAMPLES = 1 << 20,
};

static char block[LARGE];

__attribute__((noreturn)) static void die(const char *what)
{
	fprintf(stderr, "traffic: %s: %s\n", what, strerror(errno));
	exit(1);
}

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static bool readable(int fd, int milliseconds)
{
	struct pollfd wait = {.fd = fd, .events = POLLIN};

	return poll(&wait, 1, milliseconds) > 0;
}

static int compare(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static double median(double *sample, size_t count)
{
	if (count == 0) {
		errno = ETIMEDOUT;
		die("no answer");
	}
	qsort(sample, count, sizeof(*sample), compare);
	return sample[count / 2] * 1e6;
}

static struct sockaddr_in place(const char *address, const char *port)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port))};

	if (inet_pton(AF_INET, address, &to.sin_addr) != 1)
		die(address);
	return to;
}

/* --- who answers ------------------------------------------------------------------------------------------------- */

static void echo(int connection)
{
	ssize_t length;

	while ((length = read(connection, block, sizeof(block))) > 0)
		if (write(connection, block, (size_t)length) != length)
			return;
}

static uint64_t drain(int connection)
{
	uint64_t count = 0;
	ssize_t length;

	while ((length = read(connection, block, sizeof(block))) > 0)
		count += (uint64_t)length;
	return count;
}

/* Those that come, from when the client is told that it may begin until none came for a while. */
static uint64_t count_datagrams(int connection, int datagrams)
{
	uint64_t count = 0;

	while (recv(datagrams, block, sizeof(block), MSG_DONTWAIT) >= 0)
		;
	if (write(connection, "r", 1) != 1)
		return 0;
	while (readable(datagrams, count ? QUIET_MS : PATIENCE_MS))
		while (recv(datagrams, block, sizeof(block), MSG_DONTWAIT) >= 0)
			count++;
	return count;
}

static void serve_one(int connection, int datagrams)
{
	static uint64_t count; /* of the last that was counted */
	char kind = 0;

	if (read(connection, &kind, 1) != 1)
		return;
	if (kind == 'a')
		echo(connection);
	if (kind == 'f')
		while (write(connection, block, sizeof(block)) > 0)
			;
	if (kind == 's')
		count = drain(connection);
	if (kind == 'd')
		count = count_datagrams(connection, datagrams);
	if ((kind == 's' || kind == 'c') && write(connection, &count, sizeof(count)) < 0)
		perror("traffic: answer");
}

static int serve(const char *port)
{
	struct sockaddr_in at = place("0.0.0.0", port);
	int listener = socket(AF_INET, SOCK_STREAM, 0), datagrams = socket(AF_INET, SOCK_DGRAM, 0);
	int room = 4 << 20, yes = 1;

	signal(SIGPIPE, SIG_IGN);
	setsockopt(datagrams, SOL_SOCKET, SO_RCVBUF, &room, sizeof(room));
	setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
	if (bind(listener, (struct sockaddr *)&at, sizeof(at)) < 0 || listen(listener, 16) < 0 ||
		bind(datagrams, (struct sockaddr *)&at, sizeof(at)) < 0)
		die(port);
	for (;;) {
		int connection = accept(listener, NULL, NULL);

		if (connection < 0)
			die("accept");
		setsockopt(connection, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
		serve_one(connection, datagrams);
		close(connection);
	}
}

/* --- who measures ------------------------------------------------------------------------------------------------ */

static int connect_for(const char *kind, const struct sockaddr_in *to)
{
	int connection = socket(AF_INET, SOCK_STREAM, 0), yes = 1;

	if (connect(connection, (const struct sockaddr *)to, sizeof(*to)) < 0)
		die("connect");
	setsockopt(connection, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
	if (write(connection, kind, 1) != 1)
		die("write");
	return connection;
}

static uint16_t checksum(const uint16_t *word, size_t words)
{
	uint32_t sum = 0;

	while (words--)
		sum += *word++;
	sum = (sum >> 16) + (sum & 0xffff);
	return (uint16_t) ~(sum + (sum >> 16));
}

/* One echo; whether this one came back. What else comes is somebody else's, or late. */
static bool echoed(int raw, const struct sockaddr_in *to, uint16_t sequence)
{
	struct {
		struct icmphdr header;
		char data[56];
	} request = {.header = {.type = ICMP_ECHO, .un.echo = {.id = htons(0x7467), .sequence = htons(sequence)}}};

	double end = now() + 1;
	request.header.checksum = checksum((const uint16_t *)&request, sizeof(request) / 2);
	if (sendto(raw, &request, sizeof(request), 0, (const struct sockaddr *)to, sizeof(*to)) < 0)
		die("ping");
	while (now() < end && readable(raw, 1000)) {
		const struct icmphdr *answer = (const struct icmphdr *)(block + sizeof(struct iphdr));

		if (recv(raw, block, sizeof(block), 0) >= (ssize_t)(sizeof(struct iphdr) + sizeof(*answer)) &&
			answer->type == ICMP_ECHOREPLY && answer->un.echo.sequence == htons(sequence))
			return true;
	}
	return false;
}

static double ping(const struct sockaddr_in *to, double seconds)
{
	double *sample = calloc(SAMPLES, sizeof(*sample)), end = now() + seconds;
	int raw = socket(AF_INET, SOCK_RAW, IPPROTO_ICMP);
	size_t count = 0;

	if (raw < 0 || !sample)
		die("ping");
	for (uint16_t sequence = 1; now() < end && count < SAMPLES; sequence++) {
		double begin = now();

		if (echoed(raw, to, sequence))
			sample[count++] = now() - begin;
	}
	return median(sample, count);
}

static double ask(const struct sockaddr_in *to, double seconds)
{
	double *sample = calloc(SAMPLES, sizeof(*sample));
	int connection = connect_for("a", to);
	double end = now() + seconds;
	size_t count = 0;
	char byte = 0;

	if (!sample)
		die("ask");
	while (now() < end && count < SAMPLES) {
		double begin = now();

		if (write(connection, &byte, 1) != 1 || !readable(connection, PATIENCE_MS) ||
			read(connection, &byte, 1) != 1)
			break;
		sample[count++] = now() - begin;
	}
	return median(sample, count);
}

/* What the server counted. What still lies in somebody's buffer when it answers is no throughput. */
static double counted(int connection)
{
	uint64_t count = 0;

	if (!readable(connection, 4 * PATIENCE_MS) || read(connection, &count, sizeof(count)) != sizeof(count))
		die("no answer");
	return (double)count;
}

static double send_all(const struct sockaddr_in *to, double seconds)
{
	int connection = connect_for("s", to);
	double begin = now();

	while (now() < begin + seconds)
		if (write(connection, block, sizeof(block)) < 0)
			die("write");
	shutdown(connection, SHUT_WR);
	double count = counted(connection);
	return count * 8e-6 / (now() - begin);
}

static double fetch(const struct sockaddr_in *to, double seconds)
{
	int connection = connect_for("f", to);
	double begin = now(), count = 0;

	while (now() < begin + seconds && readable(connection, PATIENCE_MS)) {
		ssize_t length = read(connection, block, sizeof(block));

		if (length <= 0)
			die("read");
		count += (double)length;
	}
	return count * 8e-6 / (now() - begin);
}

/* The count comes over a connection of its own: some networks lose one that stands beside such a flood. */
static double small(const struct sockaddr_in *to, double seconds)
{
	int connection = connect_for("d", to), datagrams = socket(AF_INET, SOCK_DGRAM, 0);
	char byte;

	if (connect(datagrams, (const struct sockaddr *)to, sizeof(*to)) < 0 || read(connection, &byte, 1) != 1)
		die("small");
	close(connection);
	double begin = now(), end = begin;
	for (; end < begin + seconds; end = now())
		for (int i = 0; i < 16; i++)
			if (send(datagrams, block, SMALL, 0) < 0 && errno != ENOBUFS && errno != ECONNREFUSED)
				die("send");
	return counted(connect_for("c", to)) / (end - begin);
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		double (*measure)(const struct sockaddr_in *to, double seconds);
	} kinds[] = {{"ping", ping}, {"ask", ask}, {"send", send_all}, {"fetch", fetch}, {"small", small}};

	if (argc == 3 && strcmp(argv[1], "serve") == 0)
		return serve(argv[2]);
	for (size_t i = 0; argc >= 4 && i < sizeof(kinds) / sizeof(*kinds); i++) {
		struct sockaddr_in to = place(argv[2], argc > 4 ? argv[4] : "0");

		if (strcmp(argv[1], kinds[i].name) == 0)
			return printf("%.3f\n", kinds[i].measure(&to, atof(argv[3]))) < 0;
	}
	return fprintf(stderr, "usage: traffic serve PORT | ping|ask|send|fetch|small ADDRESS SECONDS [PORT]\n"), 2;
}
