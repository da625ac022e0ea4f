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
	{"/usr/libexec/tapgate-lease", 0755},
	{"/usr/libexec/tapgate-restore", 0755},
	{"/etc/tapgate.conf", 0644},
	{"/usr/share/man/man5/tapgate.conf.5", 0644},
	{"/usr/share/man/man8/tapgate.8", 0644},
	{"/usr/share/man/man8/tapgate-helper.8", 0644},
	{"/usr/lib/systemd/system/tapgate.service", 0644},
	{"/usr/lib/systemd/system/tapgate-firewalld.service", 0644},
	{"/usr/lib/systemd/system/nftables.service.d/tapgate.conf", 0644},
	{"/usr/lib/systemd/system/firewalld.service.d/tapgate.conf", 0644},
	{"/usr/lib/systemd/system/docker.service.d/tapgate.conf", 0644},
	{"/usr/lib/systemd/network/00-tapgate.network", 0644},
	{"/usr/lib/systemd/network/00-tapgate.link", 0644},
	{"/usr/lib/udev/rules.d/70-tapgate.rules", 0644},
	{"/usr/lib/NetworkManager/conf.d/tapgate.conf", 0644},
	{"/usr/share/bash-completion/completions/tapgate", 0644},
	{"/usr/share/zsh/site-functions/_tapgate", 0644},
	{"/usr/share/fish/vendor_completions.d/tapgate.fish", 0644},
};

static const struct installed in_usr_local[] = {
	{"/usr/local/bin/tapgate", 0755},
	{"/opt/helpers/tapgate-helper", 04755},
	{"/opt/helpers/tapgate-lease", 0755},
	{"/opt/helpers/tapgate-restore", 0755},
	{"/etc/tapgate.conf", 0644},
	{"/etc/init.d/tapgate", 0755},
	{"/usr/local/share/man/man5/tapgate.conf.5", 0644},
	{"/usr/local/share/man/man8/tapgate.8", 0644},
	{"/usr/local/share/man/man8/tapgate-helper.8", 0644},
	{"/run/units/tapgate.service", 0644},
	{"/run/units/tapgate-firewalld.service", 0644},
	{"/run/units/nftables.service.d/tapgate.conf", 0644},
	{"/run/units/firewalld.service.d/tapgate.conf", 0644},
	{"/run/units/docker.service.d/tapgate.conf", 0644},
	{"/usr/local/lib/systemd/network/00-tapgate.network", 0644},
	{"/usr/local/lib/systemd/network/00-tapgate.link", 0644},
	{"/usr/local/lib/udev/rules.d/70-tapgate.rules", 0644},
	{"/etc/NetworkManager/conf.d/tapgate.conf", 0644},
	{"/usr/local/share/bash-completion/completions/tapgate", 0644},
	{"/usr/local/share/zsh/site-functions/_tapgate", 0644},
	{"/run/fish/tapgate.fish", 0644},
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
	static const char local[] = "LIBEXECDIR=/opt/helpers UNITDIR=/run/units FISHCOMPLETIONDIR=/run/fish OPENRC=1";

	(void)state;
	install_and_expect("PREFIX=/usr", in_usr, COUNT(in_usr));
	command("grep -qx 'ExecStart=/usr/bin/tapgate up' " STAGE "/usr/lib/systemd/system/tapgate.service");
	keep_policy_and_uninstall("PREFIX=/usr");

	install_and_expect(local, in_usr_local, COUNT(in_usr_local));
	command("grep -qx 'ExecStop=/usr/local/bin/tapgate down' " STAGE "/run/units/tapgate.service");
	command("grep -q '=-/opt/helpers/tapgate-restore$' " STAGE "/run/units/nftables.service.d/tapgate.conf");
	keep_policy_and_uninstall(local);
}

/* What it says comes next: nothing for a package, three lines for an administrator, with the paths of this place. */
static void test_next_steps(void **state)
{
	static const struct {
		const char *variables, *start;
	} rows[] = {
		{"PREFIX=/usr", "systemctl enable --now tapgate"},
		{"PREFIX=/usr/local", "systemctl enable --now tapgate"},
		{"PREFIX=/opt/x", "systemctl enable --now /opt/x/lib/systemd/system/tapgate.service"},
		{"PREFIX=/opt/x UNITDIR=/etc/systemd/system", "systemctl enable --now tapgate"},
		{"PREFIX=/usr OPENRC=1", "rc-update add tapgate default && rc-service tapgate start"},
	};

	(void)state;
	/* A real one, in a directory of the test's and in /etc, which is the world's own. */
	command("make -s install PREFIX=/run/tmp/place >/run/tmp/said");
	command("test \"$(tail -n 3 /run/tmp/said)\" = \"next, in /etc/tapgate.conf: who may use which networks; see "
		"tapgate.conf(5)\nthen: /run/tmp/place/bin/tapgate check\nthen, to have its networks now and at each "
		"boot: systemctl enable --now /run/tmp/place/lib/systemd/system/tapgate.service\"");
	command("/run/tmp/place/bin/tapgate check >/dev/null");
	command("make -s uninstall PREFIX=/run/tmp/place >/dev/null && rm -r /run/tmp/place");
	command("! make -s install DESTDIR=" STAGE " PREFIX=/usr | grep -E '^(next|then)' && rm -r " STAGE);

	/* Others not for real. */
	for (size_t i = 0; i < COUNT(rows); i++)
		command("make -n install %s | grep -qxF \"echo 'then, to have its networks now and at each boot: %s'\"",
			rows[i].variables, rows[i].start);
	command("! make -n install DESTDIR=" STAGE " PREFIX=/usr | grep -E \"echo '(next|then)\"");
}

/*
 * Installed here, and called there: as on NixOS, whose store has no setuid bits (microvm-nix/microvm.nix#46). What is
 * run and looked at is the wrapper; no advice is about the file's own mode.
 */
static void test_wrapper(void **state)
{
	static const char tapgate[] = "env -u TAPGATE_HELPER " STAGE "/usr/bin/tapgate";

	(void)state;
	prepare_br0();
	command("make -s -j2 install BUILD=/run/tmp/for-wrapper DESTDIR=" STAGE
		" PREFIX=/usr WRAPPER=/run/tmp/wrappers/tapgate-helper >/dev/null");
	command("test $(stat -c %%a " STAGE "/usr/libexec/tapgate-helper) = 755");
	command("mkdir /run/tmp/wrappers && install -m 755 " STAGE "/usr/libexec/tapgate-helper /run/tmp/wrappers");
	command("%s check --live 2>&1 | grep '^tapgate: /run/tmp/wrappers/tapgate-helper has neither the setuid bit' | "
		"grep -F 'have a wrapper made for it' | grep -vq 'run: '",
		tapgate);
	command("chmod 4755 /run/tmp/wrappers/tapgate-helper && ! %s check --live 2>&1 | grep tapgate-helper", tapgate);
	command("setpriv --reuid alice --regid alice --init-groups %s run --net br0 -- true", tapgate);
	command("rm -r " STAGE " /run/tmp/wrappers /run/tmp/for-wrapper");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_make_install),
		TEST(test_next_steps),
		TEST(test_wrapper),
	};

	return RUN_TESTS(tests);
}
