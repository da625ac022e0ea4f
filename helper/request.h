/* The command line: what is asked for. */
#ifndef HELPER_REQUEST_H
#define HELPER_REQUEST_H

#include "files/outcome.h"
#include "policy/mac.h"
#include "policy/text.h"

struct request {
	char network[NAME_MAX_BYTES + 1]; /* --net=, else --br= */
	int fd;				  /* --fd=; above 2 */
	bool vnet_header;		  /* --use-vnet */
	uint32_t queues;		  /* --queues=, or 1 */
	bool mac_given;
	unsigned char mac[MAC_BYTES]; /* --mac= */
};

/* Each option at most once, in any order, whole words only, numbers strictly decimal. */
bool request_parse(int argc, char **argv, struct request *request, struct outcome *outcome);

#endif
