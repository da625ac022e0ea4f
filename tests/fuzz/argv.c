// SPDX-License-Identifier: MIT
/*
 * Fuzz target: the command line. An input is the arguments, argv[0] first, each ended by NUL or by the end.
 *
 * Links: helper/request.c judge policy pkg:libnl-3.0
 */
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "helper/helper.h"
#include "policy/policy.h"
#include "tests/fuzz/fuzz.h"

enum { ARGUMENTS_MAX = 64 };

/* The value of the only argument that begins with `option`; NULL if there is none. */
static const char *value_of(char **argv, const char *option)
{
	const char *value = NULL;

	for (char **argument = argv + 1; *argument; argument++) {
		if (strncmp(*argument, option, strlen(option)) != 0)
			continue;
		MUST(!value); /* what is there twice is refused */
		value = *argument + strlen(option);
	}
	return value;
}

/* Queues as they are written, and 0 where they are not; an address that is a guest's, as it is written. */
static void check_port(const char *queues, const char *mac, const struct request *request)
{
	static const unsigned char nobody[MAC_BYTES];
	char text[MAC_TEXT];

	MUST(request->queues >= 1 && request->queues <= POLICY_QUEUES_MAX && (queues || request->queues == 1));
	snprintf(text, sizeof(text), "%u", request->queues);
	MUST(!queues || strcmp(queues, text) == 0);
	MUST(request->mac_given == (mac != NULL));
	if (!mac)
		return;
	mac_text(request->mac, text);
	MUST(strcasecmp(mac, text) == 0);
	MUST(!(request->mac[0] & 1) && memcmp(request->mac, nobody, MAC_BYTES) != 0);
}

/* A request says what the arguments say, and nothing that a name or a descriptor cannot be. */
static void check_request(int argc, char **argv, const struct request *request, const struct outcome *outcome)
{
	const char *network = value_of(argv, "--net="), *bridge = value_of(argv, "--br=");
	const char *fd = value_of(argv, "--fd="), *vnet_header = value_of(argv, "--use-vnet");
	const char *queues = value_of(argv, "--queues="), *mac = value_of(argv, "--mac=");
	char number[16];

	MUST(outcome->code == EXIT_SENT && !outcome->text[0]);
	MUST(memchr(request->network, '\0', sizeof(request->network)));
	MUST(!word_name_problem((struct word){request->network, strlen(request->network)}));
	MUST(strcmp(request->network, network ? network : bridge) == 0);
	MUST(request->fd > 2);
	snprintf(number, sizeof(number), "%d", request->fd);
	MUST(strcmp(fd, number) == 0);
	MUST(request->vnet_header == (vnet_header != NULL) && (!vnet_header || !*vnet_header));
	check_port(queues, mac, request);
	MUST(argc - 1 == !!network + !!bridge + !!fd + !!vnet_header + !!queues + !!mac);
}

/* A refusal is one line that a terminal and a log can show. */
static void check_refusal(const struct outcome *outcome)
{
	MUST(outcome->code == EXIT_USAGE);
	MUST(outcome->text[0] && memchr(outcome->text, '\0', sizeof(outcome->text)));
	for (const char *at = outcome->text; *at; at++)
		MUST(*at >= ' ' && *at <= '~');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *copy = malloc(size + 1), *argv[ARGUMENTS_MAX + 1];
	struct outcome outcome = {.code = EXIT_SENT};
	struct request request = {.fd = -1};
	int argc = 0;

	MUST(copy);
	if (size)
		memcpy(copy, data, size);
	copy[size] = '\0';
	for (char *at = copy; at < copy + size && argc < ARGUMENTS_MAX; at += strlen(at) + 1) {
		argv[argc] = strdup(at); /* each in memory of its own, so that reading past its end shows */
		MUST(argv[argc++]);
	}
	free(copy);
	argv[argc] = NULL;
	if (request_parse(argc, argv, &request, &outcome))
		check_request(argc, argv, &request, &outcome);
	else
		check_refusal(&outcome);
	while (argc > 0)
		free(argv[--argc]);
	return 0;
}
