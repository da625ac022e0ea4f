#include "helper/landlock.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

/*
 * The kernel's interface (include/uapi/linux/landlock.h), all versions of it: the headers a distribution builds with
 * are often older than the kernel it runs.
 */
enum {
	CREATE_RULESET_VERSION = 1,
	RULE_PATH_BENEATH = 1,

	NO_LOG_OF_PROOF = 1, /* RESTRICT_SELF_LOG_SAME_EXEC_OFF: what is_in_force tries is no matter for an audit log */

	FS_WRITE_FILE = 1 << 1,
	FS_READ_FILE = 1 << 2,
	FS_IOCTL_DEVICE = 1 << 15,
};

struct ruleset {
	uint64_t files, network, scopes;
};

struct path_beneath {
	uint64_t allowed;
	int32_t parent;
} __attribute__((packed));

/*
 * Everything that a version can refuse: files by number of rights, TCP bind and connect, abstract sockets and signals.
 */
static struct ruleset all_of(int version)
{
	static const unsigned int file_rights[] = {0, 13, 14, 15, 15, 16};
	const int known = sizeof(file_rights) / sizeof(*file_rights) - 1;

	return (struct ruleset){
		.files = (1ULL << file_rights[version < known ? version : known]) - 1,
		.network = version >= 4 ? 3 : 0,
		.scopes = version >= 6 ? 3 : 0,
	};
}

static bool allow(int rules, const char *path, uint64_t rights)
{
	struct path_beneath rule = {.allowed = rights, .parent = open(path, O_PATH | O_CLOEXEC)};
	bool added;

	if (rule.parent < 0)
		return false;
	added = syscall(SYS_landlock_add_rule, rules, RULE_PATH_BENEATH, &rule, 0) == 0;
	close(rule.parent);
	return added;
}

/* Reading a directory is one of the rights that every version takes away. */
static bool is_in_force(void)
{
	int fd = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return errno == EACCES;
	close(fd);
	errno = ENOTRECOVERABLE;
	return false;
}

bool landlock_enter(struct outcome *outcome)
{
	long version = syscall(SYS_landlock_create_ruleset, NULL, 0, CREATE_RULESET_VERSION);
	struct ruleset ruleset;
	int rules;
	bool entered;

	if (version < 1)
		return true; /* no Landlock in this kernel, or switched off */
	ruleset = all_of((int)version);
	rules = (int)syscall(SYS_landlock_create_ruleset, &ruleset, sizeof(ruleset), 0);
	if (rules < 0)
		return refuse_errno(outcome, errno, "cannot make a Landlock ruleset");
	/* A device that is not there needs no rule: opening it says so later. */
	allow(rules, "/dev/net/tun", (FS_READ_FILE | FS_WRITE_FILE | FS_IOCTL_DEVICE) & ruleset.files);
	entered = allow(rules, "/", FS_READ_FILE) &&
		  syscall(SYS_landlock_restrict_self, rules, version >= 7 ? NO_LOG_OF_PROOF : 0) == 0 && is_in_force();
	if (!entered)
		refuse_errno(outcome, errno, "cannot enter the Landlock sandbox");
	close(rules);
	return entered;
}
