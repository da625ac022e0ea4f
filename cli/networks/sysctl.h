/* Settings of interfaces under /proc/sys/net that are numbers. */
#ifndef CLI_NETWORKS_SYSCTL_H
#define CLI_NETWORKS_SYSCTL_H

#include <sys/socket.h>

/*
 * A setting of an interface ("all", too) in a family, AF_INET or AF_INET6: net.ipv4.conf.eth0.forwarding. The number;
 * -1 if there is no such setting, or it cannot be read.
 */
int sysctl_read(int family, const char *interface, const char *setting);

/* Set it: 0 or a negative errno value. */
int sysctl_write(int family, const char *interface, const char *setting, int value);

#endif
