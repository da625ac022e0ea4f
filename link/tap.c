// SPDX-License-Identifier: MIT
/* Taps: /dev/net/tun and its ioctls (Documentation/networking/tuntap.rst, drivers/net/tun.c). */
#include "link/exchange.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <linux/if_tun.h>
#include <linux/virtio_net.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "link/link.h"

#ifndef IFF_TUN_EXCL
#define IFF_TUN_EXCL 0x8000
#endif

/* What ioctl(2) takes: an unsigned long in glibc, in other C libraries an int of the same bits. */
#ifdef __GLIBC__
typedef unsigned long ioctl_number;
#else
typedef int ioctl_number;
#endif

static short flags_of(const struct tap_kind *kind)
{
	return (short)(IFF_TAP | IFF_NO_PI | (kind->vnet_header ? IFF_VNET_HDR : 0) |
		       (kind->multi_queue ? IFF_MULTI_QUEUE : 0));
}

int tap_open(int *fd)
{
	*fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);
	return *fd < 0 ? -errno : 0;
}

static int attach(int fd, const struct tap_kind *kind, const char *name, int more)
{
	struct ifreq request = {0};

	if (strlen(name) >= IFNAMSIZ)
		return -EINVAL;
	memcpy(request.ifr_name, name, strlen(name));
	request.ifr_flags = (short)(flags_of(kind) | more);
	return ioctl(fd, TUNSETIFF, &request) < 0 ? -errno : 0;
}

int tap_make(int fd, const struct tap_kind *kind, const char *name, int index)
{
	return ioctl(fd, TUNSETIFINDEX, &index) < 0 ? -errno : attach(fd, kind, name, IFF_TUN_EXCL);
}

int tap_own(int fd, uid_t owner)
{
	return ioctl(fd, TUNSETOWNER, (unsigned long)owner) < 0 ? -errno : 0;
}

bool tap_name_is_taken(int fd, const char *name)
{
	struct ifreq request = {.ifr_flags = (short)IFF_TUN_EXCL}; /* neither tun nor tap: none is made */

	memcpy(request.ifr_name, name, strnlen(name, IFNAMSIZ - 1));
	return ioctl(fd, TUNSETIFF, &request) < 0 && errno == EBUSY;
}

int tap_add_queue(int fd, const struct tap_kind *kind, const char *name)
{
	return attach(fd, kind, name, IFF_NOFILTER);
}

/* What holds of a new tap: by which call it is set, by which it can be read. */
static const struct setting {
	unsigned long set, get;
	int standard;
} settings[] = {
	{TUNSETSNDBUF, TUNGETSNDBUF, INT_MAX},
	{TUNSETVNETHDRSZ, TUNGETVNETHDRSZ, sizeof(struct virtio_net_hdr)},
	{TUNSETVNETLE, TUNGETVNETLE, 0},
	{TUNSETVNETBE, TUNGETVNETBE, 0},
	{TUNSETSTEERINGEBPF, 0, -1},
	{TUNSETFILTEREBPF, 0, -1},
	{TUNSETCARRIER, 0, 1},
};

/* Set it, and see that it is read as that. This kernel may be without it (EINVAL). */
static int reset(int fd, const struct setting *setting)
{
	int value = setting->standard;

	if (ioctl(fd, (ioctl_number)setting->set, &value) < 0)
		return errno == EINVAL ? 0 : -errno;
	value = !setting->standard;
	if (setting->get && ioctl(fd, (ioctl_number)setting->get, &value) < 0)
		return -errno;
	return setting->get && value != setting->standard ? -EPROTO : 0;
}

int tap_reset(int fd)
{
	struct tun_filter all = {.count = 0};
	struct sock_fprog none = {0};
	int error = 0;

	for (size_t i = 0; i < sizeof(settings) / sizeof(*settings) && !error; i++)
		error = reset(fd, &settings[i]);
	if (!error && (ioctl(fd, TUNSETOFFLOAD, 0UL) < 0 || (ioctl(fd, TUNSETDEBUG, 0UL) < 0 && errno != EINVAL) ||
			      ioctl(fd, TUNSETTXFILTER, &all) < 0 ||
			      (ioctl(fd, TUNDETACHFILTER, &none) < 0 && errno != ENOENT)))
		error = -errno;
	return error;
}

int tap_is(int fd, const struct tap_kind *kind, const char *name)
{
	struct ifreq request = {0};

	if (ioctl(fd, (ioctl_number)TUNGETIFF, &request) < 0)
		return -errno;
	return request.ifr_flags == flags_of(kind) && strncmp(request.ifr_name, name, IFNAMSIZ) == 0 ? 0 : -ENOENT;
}

int tap_chance(void *bytes, size_t size)
{
	long got = syscall(SYS_getrandom, bytes, size, 0);

	return got < 0 ? -errno : got == (long)size ? 0 : -EIO;
}

int tap_choose_name(char name[static IFNAMSIZ])
{
	uint64_t chance;
	int error = tap_chance(&chance, sizeof(chance));

	if (error)
		return error;
	snprintf(name, IFNAMSIZ, "tg%012" PRIu64, chance % 1000000000000);
	return 0;
}

int tap_name(int fd, char name[static IFNAMSIZ])
{
	struct ifreq request = {0};

	if (ioctl(fd, (ioctl_number)TUNGETIFF, &request) < 0)
		return -errno;
	if (strnlen(request.ifr_name, IFNAMSIZ) == IFNAMSIZ)
		return -EPROTO;
	memcpy(name, request.ifr_name, IFNAMSIZ);
	return 0;
}

int tun_join(const char *name, const struct tun *tun, int *fd)
{
	struct ifreq request = {0};
	int error = tap_open(fd);

	if (error)
		return error;
	/* The kernel takes over what is asked for here, so it is what was there. */
	request.ifr_flags = (short)((tun->tap ? IFF_TAP : IFF_TUN) | (tun->packet_info ? 0 : IFF_NO_PI) |
				    (tun->vnet_header ? IFF_VNET_HDR : 0) | (tun->multi_queue ? IFF_MULTI_QUEUE : 0));
	memcpy(request.ifr_name, name, strnlen(name, IFNAMSIZ - 1));
	if (ioctl(*fd, TUNSETIFF, &request) == 0)
		return 0;
	error = -errno;
	close(*fd);
	return error;
}

int tun_let_go(int fd)
{
	return ioctl(fd, TUNSETPERSIST, 0UL) < 0 ? -errno : 0;
}
