// SPDX-License-Identifier: MIT
/* vhost DESCRIPTOR: whether this is one of /dev/vhost-net. In a guest that is a host itself (tests/guest/vlan.sh). */
#include <linux/vhost.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>

int main(int argc, char **argv)
{
	uint64_t features;

	if (argc < 2 || ioctl(atoi(argv[1]), VHOST_GET_FEATURES, &features) < 0)
		return perror("vhost"), 1;
	printf("vhost features %#llx\n", (unsigned long long)features);
	return 0;
}
