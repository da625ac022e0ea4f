// SPDX-License-Identifier: MIT
/*
 * What `make install` puts where, and `make uninstall` removes, by the variables of the Makefile. (What is in the files
 * for systemd and others: tests/system/units. Ways to give the helper its privilege: test_install.c.)
 */
#include "tests/netns/harness.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define STAGE "/run/tmp/package"

struct installed {
	const char *path;
	mode_t mode;
};

static const struct installed in_usr[] = {
	{"/usr/bin/tapgate", 0755},
	{"/usr/libexec/tapgate-helper", 04755},
	{"/usr/libexec/tapgate-listen", 0755},
	{"/usr/libexec/tapgate-dhcp", 0755},
	{"/etc/tapgate.conf", 0644},
	{"/usr/share/man/man5/tapgate.conf.5", 0644},
	{"/usr/share/man/man7/tapgate-json.7", 0644},
	{"/usr/share/man/man8/tapgate.8", 0644},
	{"/usr/share/man/man8/tapgate-helper.8", 0644},
	{"/usr/lib/systemd/system/tapgate.service", 0644},
	{"/usr/lib/systemd/system/tapgate-keep.service", 0644},
	{"/usr/lib/systemd/system/tapgate-helper.socket", 0644},
	{"/usr/lib/systemd/system/tapgate-helper.service", 0644},
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
	{"/opt/helpers/tapgate-listen", 0755},
	{"/opt/helpers/tapgate-dhcp", 0755},
	{"/etc/tapgate.conf", 0644},
	{"/etc/init.d/tapgate", 0755},
	{"/usr/local/share/man/man5/tapgate.conf.5", 0644},
	{"/usr/local/share/man/man7/tapgate-json.7", 0644},
	{"/usr/local/share/man/man8/tapgate.8", 0644},
	{"/usr/local/share/man/man8/tapgate-helper.8", 0644},
	{"/run/units/tapgate.service", 0644},
	{"/run/units/tapgate-keep.service", 0644},
	{"/run/units/tapgate-helper.socket", 0644},
	{"/run/units/tapgate-helper.service", 0644},
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
	command("test \"$(stat -c '%%F %%a %%u' " STAGE "/etc/tapgate.d)\" = 'directory 755 0'");
	command("! grep -rqE '@[a-z]+@|" STAGE "' " STAGE " --exclude=tapgate --exclude=tapgate-helper");
}

/* The policy is the administrator's: kept by the next installation, and by uninstalling, which takes all else away. */
static void keep_policy_and_uninstall(const char *variables)
{
	command("echo 'allow br0' >" STAGE "/etc/tapgate.conf && chmod 640 " STAGE "/etc/tapgate.conf");
	command("make -s install DESTDIR=" STAGE " %s | grep -x 'kept " STAGE "/etc/tapgate.conf' >/dev/null",
		variables);
	/* So are the mode of the directory of drop-ins, and what is in it. */
	command("chmod 750 " STAGE "/etc/tapgate.d && make -s install DESTDIR=" STAGE " %s >/dev/null", variables);
	command("test $(stat -c %%a " STAGE "/etc/tapgate.d) = 750");
	command("make -s uninstall DESTDIR=" STAGE " %s >/dev/null && test ! -e " STAGE "/etc/tapgate.d", variables);
	command("make -s install DESTDIR=" STAGE " %s >/dev/null && mkdir " STAGE "/etc/tapgate.d/kept", variables);
	command("make -s uninstall DESTDIR=" STAGE " %s >/dev/null", variables);
	command("rmdir " STAGE "/etc/tapgate.d/kept");
	command("test \"$(find " STAGE " -type f)\" = " STAGE "/etc/tapgate.conf");
	command("test \"$(cat " STAGE "/etc/tapgate.conf)\" = 'allow br0'");
	command("test $(stat -c %%a " STAGE "/etc/tapgate.conf) = 640");
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
	command("grep -q '^ExecStop=.*exec /usr/local/bin/tapgate down ' " STAGE "/run/units/tapgate.service");
	command("grep -qx 'ExecStart=/usr/local/bin/tapgate keep' " STAGE "/run/units/tapgate-keep.service");
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

/* SETUID=no: no setuid bit nor capability anywhere, which its last line has a service for; and all goes by that. */
static void test_without_setuid(void **state)
{
	struct call call = {.about = "SETUID=no", .program = "/run/tmp/place/libexec/tapgate-helper"};
	struct result result;
	pid_t service;

	(void)state;
	if (!have_program("systemd-socket-activate"))
		return;
	command("make -s install PREFIX=/run/tmp/place SETUID=no >/run/tmp/said");
	command("test -z \"$(find /run/tmp/place -perm /6000)$(getcap -r /run/tmp/place)\"");
	command("tail -n 1 /run/tmp/said | grep -q 'no setuid bit: systemctl enable --now tapgate-helper.socket$'");
	prepare_br0();
	expect_refusal(&call, 1, "or for the service: systemctl enable --now tapgate-helper.socket");
	service = fork();
	if (service == 0) {
		execlp("systemd-socket-activate", "systemd-socket-activate", "--inetd", "-l",
			"/run/tapgate/helper.sock", "/run/tmp/place/libexec/tapgate-listen", call.program,
			(char *)NULL);
		_exit(126);
	}
	note_child(service);
	command("for i in $(seq 400); do [ ! -S /run/tapgate/helper.sock ] || break; sleep 0.05; done");
	command("chmod 666 /run/tapgate/helper.sock");
	result = run(&call);
	EXPECT(&result, result.code == 0 && result.fds == 1);
	give_back(&result);
	command("make -s uninstall PREFIX=/run/tmp/place >/dev/null && rm -r /run/tmp/place /run/tapgate/helper.sock");
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
		TEST(test_without_setuid),
		TEST(test_wrapper),
	};

	return RUN_TESTS(tests);
}
