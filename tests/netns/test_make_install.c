/*
 * What `make install` puts where, and `make uninstall` removes, by the variables of the Makefile. (What is in the files
 * for systemd and others: tests/units. Ways to give the helper its privilege: test_install.c.)
 */
#include "tests/netns/harness.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define STAGE "/run/tmp/package"

struct installed {
	const char *path;
	mode_t mode;
};

static const struct installed in_usr[] = {
	{"/usr/bin/tapgate", 0755},
	{"/usr/libexec/tapgate-helper", 04755},
	{"/usr/libexec/tapgate-restore", 0755},
	{"/etc/tapgate.conf", 0644},
	{"/usr/share/man/man5/tapgate.conf.5", 0644},
	{"/usr/share/man/man8/tapgate.8", 0644},
	{"/usr/share/man/man8/tapgate-helper.8", 0644},
	{"/usr/lib/systemd/system/tapgate.service", 0644},
	{"/usr/lib/systemd/system/nftables.service.d/tapgate.conf", 0644},
	{"/usr/lib/systemd/system/firewalld.service.d/tapgate.conf", 0644},
	{"/usr/lib/systemd/system/docker.service.d/tapgate.conf", 0644},
	{"/usr/lib/systemd/network/00-tapgate.network", 0644},
	{"/usr/lib/systemd/network/00-tapgate.link", 0644},
	{"/usr/lib/udev/rules.d/70-tapgate.rules", 0644},
	{"/usr/lib/NetworkManager/conf.d/tapgate.conf", 0644},
};

static const struct installed in_usr_local[] = {
	{"/usr/local/bin/tapgate", 0755},
	{"/opt/helpers/tapgate-helper", 04755},
	{"/opt/helpers/tapgate-restore", 0755},
	{"/etc/tapgate.conf", 0644},
	{"/etc/init.d/tapgate", 0755},
	{"/usr/local/share/man/man5/tapgate.conf.5", 0644},
	{"/usr/local/share/man/man8/tapgate.8", 0644},
	{"/usr/local/share/man/man8/tapgate-helper.8", 0644},
	{"/run/units/tapgate.service", 0644},
	{"/run/units/nftables.service.d/tapgate.conf", 0644},
	{"/run/units/firewalld.service.d/tapgate.conf", 0644},
	{"/run/units/docker.service.d/tapgate.conf", 0644},
	{"/usr/local/lib/systemd/network/00-tapgate.network", 0644},
	{"/usr/local/lib/systemd/network/00-tapgate.link", 0644},
	{"/usr/local/lib/udev/rules.d/70-tapgate.rules", 0644},
	{"/etc/NetworkManager/conf.d/tapgate.conf", 0644},
};

/* These files, and no other; of root's, with these modes, also where the umask would take more away. */
static void install_and_expect(const char *variables, const struct installed *files, size_t count)
{
	command("umask 077 && make -s install DESTDIR=" STAGE " %s >/dev/null", variables);
	for (size_t i = 0; i < count; i++) {
		char path[512];
		struct stat status;

		snprintf(path, sizeof(path), STAGE "%s", files[i].path);
		if (lstat(path, &status) < 0)
			fail_msg("%s: %s", path, strerror(errno));
		if (status.st_mode != (S_IFREG | files[i].mode) || status.st_uid != 0)
			fail_msg("%s: mode %o of user %u", path, status.st_mode, status.st_uid);
	}
	command("test $(find " STAGE " -type f | wc -l) = %zu", count);
	command("! grep -rqE '@[a-z]+@|" STAGE "' " STAGE " --exclude=tapgate --exclude=tapgate-helper");
}

/* The policy is the administrator's: kept by the next installation, and by uninstalling, which takes all else away. */
static void keep_policy_and_uninstall(const char *variables)
{
	command("echo 'allow br0' >" STAGE "/etc/tapgate.conf && chmod 640 " STAGE "/etc/tapgate.conf");
	command("make -s install DESTDIR=" STAGE " %s | grep -x 'kept " STAGE "/etc/tapgate.conf' >/dev/null",
		variables);
	command("make -s uninstall DESTDIR=" STAGE " %s >/dev/null", variables);
	command("test \"$(find " STAGE " -type f)\" = " STAGE "/etc/tapgate.conf");
	command("test \"$(cat " STAGE "/etc/tapgate.conf)\" = 'allow br0'");
	command("test $(stat -c %%a " STAGE "/etc/tapgate.conf) = 640");
	command("test -z \"$(find " STAGE " -name '*.service.d')\"");
	command("! make -s uninstall DESTDIR=" STAGE " %s 2>/dev/null", variables);
	command("rm -r " STAGE);
}

static void test_make_install(void **state)
{
	static const char local[] = "LIBEXECDIR=/opt/helpers UNITDIR=/run/units OPENRC=1";

	(void)state;
	install_and_expect("PREFIX=/usr", in_usr, COUNT(in_usr));
	command("grep -qx 'ExecStart=/usr/bin/tapgate up' " STAGE "/usr/lib/systemd/system/tapgate.service");
	keep_policy_and_uninstall("PREFIX=/usr");

	install_and_expect(local, in_usr_local, COUNT(in_usr_local));
	command("grep -qx 'ExecStop=/usr/local/bin/tapgate down' " STAGE "/run/units/tapgate.service");
	command("grep -q '=-/opt/helpers/tapgate-restore$' " STAGE "/run/units/nftables.service.d/tapgate.conf");
	keep_policy_and_uninstall(local);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_make_install),
	};

	return RUN_TESTS(tests);
}
