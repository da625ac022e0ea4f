/* Taps: /dev/net/tun and its ioctls (Documentation/networking/tuntap.rst, drivers/net/tun.c). */
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <string.h>
#include <sys/ioctl.h>

#include "link/link.h"

#ifndef IFF_TUN_EXCL
#define IFF_TUN_EXCL 0x8000
#endif

static int name_of(const struct ifreq *request, char name[static IFNAMSIZ])
{
	if (strnlen(request->ifr_name, IFNAMSIZ) == IFNAMSIZ)
		return -EPROTO;
	memcpy(name, request->ifr_name, IFNAMSIZ);
	return 0;
}

int tap_open(int *fd)
{
	*fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);
	return *fd < 0 ? -errno : 0;
}

static int attach(int fd, const struct tap_kind *kind, const char *name, int more, struct ifreq *request)
{
	*request = (struct ifreq){0};
	if (strlen(name) >= IFNAMSIZ)
		return -EINVAL;
	memcpy(request->ifr_name, name, strlen(name));
	request->ifr_flags = (short)(IFF_TAP | IFF_NO_PI | more | (kind->vnet_header ? IFF_VNET_HDR : 0) |
				     (kind->multi_queue ? IFF_MULTI_QUEUE : 0));
	return ioctl(fd, TUNSETIFF, request) < 0 ? -errno : 0;
}

int tap_make(int fd, const struct tap_kind *kind, const char *pattern, uid_t owner, char name[static IFNAMSIZ])
{
	struct ifreq request;
	int error = attach(fd, kind, pattern, IFF_TUN_EXCL, &request);

	if (error)
		return error;
	error = tap_give(fd, kind->multi_queue ? 0 : owner);
	if (error == -EINVAL && kind->multi_queue) /* a user namespace that has no root */
		error = tap_give(fd, owner);
	return error ? error : name_of(&request, name);
}

int tap_give(int fd, uid_t owner)
{
	return ioctl(fd, TUNSETOWNER, (unsigned long)owner) < 0 ? -errno : 0;
}

int tap_add_queue(int fd, const struct tap_kind *kind, const char *name)
{
	struct ifreq request;

	return attach(fd, kind, name, 0, &request);
}

int tap_name(int fd, char name[static IFNAMSIZ])
{
	struct ifreq request = {0};

	return ioctl(fd, TUNGETIFF, &request) < 0 ? -errno : name_of(&request, name);
}
