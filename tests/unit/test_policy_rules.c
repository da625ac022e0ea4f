// SPDX-License-Identifier: MIT
/*
 * Tests of `allow` and `deny` lines: every form, every option, every refusal to the letter. What rules mean is
 * test_policy_decide.c's concern.
 */
#include "tests/unit/test_policy.h"

#define ALLOW_WORDS                                                                                                    \
	", expected 'user=', 'group=', 'max=', 'queues=', 'mac=', 'vlan=', 'mtu=', 'rate=', 'rate-in=', 'isolated', 'lock-mac', 'guard' or 'lock-ip'"
#define DENY_WORDS " on a deny rule, expected 'user=' or 'group='"

static void test_rule_names(void **state)
{
	static const struct policy_row rows[] = {
		{TEXT("allow br0\n"), ""},
		{TEXT("deny br0\n"), ""},
		{TEXT("allow all\n"), ""},
		{TEXT("deny all\n"), ""},
		{TEXT("allow br0\nallow br0\ndeny br0\nallow br0\n"), ""},
		{TEXT("allow a23456789012345\n"), ""},
		{TEXT("allow a234567890123456\n"), "/p:1:7: network 'a234567890123456' is longer than 15 bytes, "
						   "expected an interface's name or 'all'"},
		{TEXT("deny a234567890123456\n"), "/p:1:6: network 'a234567890123456' is longer than 15 bytes, "
						  "expected an interface's name or 'all'"},
		{TEXT("allow\n"), "/p:1:6: no network, expected a name or 'all'"},
		{TEXT("deny  \n"), "/p:1:7: no network, expected a name or 'all'"},
		{TEXT("allow a/b\n"),
			"/p:1:7: network 'a/b' has characters other than letters, digits and ._-+@, expected an "
			"interface's name or 'all'"},
		{TEXT("allow br0:1\n"),
			"/p:1:7: network 'br0:1' has characters other than letters, digits and ._-+@, expected an "
			"interface's name or 'all'"},
		{TEXT("allow tap%d\n"),
			"/p:1:7: network 'tap%d' has characters other than letters, digits and ._-+@, expected an "
			"interface's name or 'all'"},
		{TEXT("allow .\n"), "/p:1:7: network '.' is a reserved word, expected an interface's name or 'all'"},
		{TEXT("allow ..\n"), "/p:1:7: network '..' is a reserved word, expected an interface's name or 'all'"},
		{TEXT("allow default\n"),
			"/p:1:7: network 'default' is a reserved word, expected an interface's name or 'all'"},
		{TEXT("allow br0 br1\n"), "/p:1:11: unknown word 'br1' on an allow rule" ALLOW_WORDS},
		{TEXT("deny br0 br1\n"), "/p:1:10: unknown word 'br1'" DENY_WORDS},
		{TEXT("allow br0 # why\n"), "/p:1:11: '#' after a rule, expected comments on lines of their own"},
		{TEXT("deny br0 #\n"), "/p:1:10: '#' after a rule, expected comments on lines of their own"},
		{TEXT("allow br0 user=alice # why\n"),
			"/p:1:22: '#' after a rule, expected comments on lines of their own"},
	};

	(void)state;
	check_policy_rows(rows, COUNT(rows));
}

#define ACCOUNT_MARKS  ", expected names or '#number', apart by ',' alone"
#define ACCOUNT_NUMBER ", expected '#' and a number from 0 to 4294967294"

static void test_rule_accounts(void **state)
{
	static const struct policy_row rows[] = {
		{TEXT("allow br0 user=alice\n"), ""},
		{TEXT("allow br0 user=alice,bob,#1007\n"), ""},
		{TEXT("deny br0 group=staff,#0\n"), ""},
		{TEXT("allow br0 user=alice,alice\n"), ""},
		{TEXT("allow br0 user=#4294967294\n"), ""},
		{TEXT("allow br0 user=DOM\\alice@example.org,a.b-c_d$,1007\n"), ""},
		{TEXT("allow br0 user\n"), "/p:1:15: 'user' without a value, expected 'user=...'"},
		{TEXT("allow br0 user=\n"), "/p:1:15: 'user' without a value, expected 'user=...'"},
		{TEXT("allow br0 user= alice\n"), "/p:1:15: 'user' without a value, expected 'user=...'"},
		{TEXT("deny br0 group=\n"), "/p:1:15: 'group' without a value, expected 'group=...'"},
		{TEXT("allow br0 user=,\n"), "/p:1:16: an empty name, expected names or '#number', apart by ',' alone"},
		{TEXT("allow br0 user=alice,\n"),
			"/p:1:22: an empty name, expected names or '#number', apart by ',' alone"},
		{TEXT("allow br0 user=,alice\n"),
			"/p:1:16: an empty name, expected names or '#number', apart by ',' alone"},
		{TEXT("allow br0 group=a,,b\n"),
			"/p:1:19: an empty name, expected names or '#number', apart by ',' alone"},
		{TEXT("allow br0 user=alice, bob\n"),
			"/p:1:22: an empty name, expected names or '#number', apart by ',' alone"},
		{TEXT("allow br0 user=a:b\n"), "/p:1:16: 'a:b'" ACCOUNT_MARKS},
		{TEXT("allow br0 user=a/b\n"), "/p:1:16: 'a/b'" ACCOUNT_MARKS},
		{TEXT("allow br0 user=x,a=b\n"), "/p:1:18: 'a=b'" ACCOUNT_MARKS},
		{TEXT("allow br0 user=a#1\n"), "/p:1:16: 'a#1'" ACCOUNT_MARKS},
		{TEXT("allow br0 user=#\n"), "/p:1:16: '#'" ACCOUNT_NUMBER},
		{TEXT("allow br0 user=#x\n"), "/p:1:16: '#x'" ACCOUNT_NUMBER},
		{TEXT("allow br0 user=#3x\n"), "/p:1:16: '#3x'" ACCOUNT_NUMBER},
		{TEXT("allow br0 user=#-1\n"), "/p:1:16: '#-1'" ACCOUNT_NUMBER},
		{TEXT("allow br0 user=#+1\n"), "/p:1:16: '#+1'" ACCOUNT_NUMBER},
		{TEXT("allow br0 user=#03\n"), "/p:1:16: '#03'" ACCOUNT_NUMBER},
		{TEXT("allow br0 user=#1,##1\n"), "/p:1:19: '##1'" ACCOUNT_NUMBER},
		{TEXT("allow br0 user=#4294967295\n"), "/p:1:16: '#4294967295'" ACCOUNT_NUMBER},
		{TEXT("allow br0 user=#4294967296\n"), "/p:1:16: '#4294967296'" ACCOUNT_NUMBER},
		{TEXT("deny br0 group=#18446744073709551616\n"), "/p:1:16: '#18446744073709551616'" ACCOUNT_NUMBER},
		{TEXT("allow br0 user=alice user=bob\n"), "/p:1:22: 'user' for the second time, expected it once"},
		{TEXT("deny br0 group=a group=a\n"), "/p:1:18: 'group' for the second time, expected it once"},
		{TEXT("allow br0 user=alice group=staff\n"),
			"/p:1:22: user= and group= on one rule, expected two rules"},
		{TEXT("deny br0 group=staff user=alice\n"),
			"/p:1:22: user= and group= on one rule, expected two rules"},
	};

	(void)state;
	check_policy_rows(rows, COUNT(rows));
}

static void keep_first(void *context, const struct policy_error *error, struct word line)
{
	char *first = context;

	(void)line;
	if (!*first)
		policy_error_print(error, first, 512);
}

/*
 * The same as check_policy_rows, for what policy_check says; policy_load must refuse the same rows, at the same place.
 */
static void check_explained_rows(const struct policy_row *rows, size_t count)
{
	unsigned int wrong = 0;

	for (size_t i = 0; i < count; i++) {
		const struct policy_row *row = &rows[i];
		struct memory_file files[] = {{"/p", row->text, row->size, POLICY_READ}, END_OF_FILES};
		const struct policy_reader reader = {memory_read, files, &policy_services};
		char plain[512], explained[512] = "";
		size_t errors, place = strcspn(row->error, " ");

		policy_free(memory_load(files, plain));
		wrong += !*plain != !*row->error || strncmp(plain, row->error, place) != 0;
		policy_free(policy_check(&reader, "/p", keep_first, explained, &errors));
		wrong += differ(row->text, row->size, "as it is explained", row->error, explained);
	}
	assert_int_equal(wrong, 0);
}

/* Without the explanation, as the helper tells it. */
static void test_foreign_words_refused(void **state)
{
	static const struct policy_row rows[] = {
		{TEXT("deny br0 user=@guests\n"), "/p:1:15: '@guests'" ACCOUNT_MARKS},
		{TEXT("deny br0 user=alice,!bob\n"), "/p:1:21: '!bob'" ACCOUNT_MARKS},
		{TEXT("deny br0 group=ALL\n"), "/p:1:16: 'ALL'" ACCOUNT_MARKS},
		{TEXT("deny br0 user=1000-1010\n"), "/p:1:15: '1000-1010'" ACCOUNT_MARKS},
		{TEXT("deny br0 user=b!b\n"), "/p:1:15: 'b!b'" ACCOUNT_MARKS},
		{TEXT("deny br+\n"), "/p:1:6: network 'br+' ends in '+', expected an interface's name or 'all'"},
		{TEXT("network br+ internal\n"), "/p:1:9: network 'br+' ends in '+', expected an interface's name"},
		{TEXT("deny br*\n"),
			"/p:1:6: network 'br*' has characters other than letters, digits and ._-+@, expected an "
			"interface's name or 'all'"},
		{TEXT("allow br0 group=domain users\n"), "/p:1:24: unknown word 'users' on an allow rule" ALLOW_WORDS},
		{TEXT("alice veth br0 10\n"),
			"/p:1:1: unknown word 'alice', expected 'allow', 'deny', 'include', 'network', 'guest', 'forward' or '#'"},
	};

	(void)state;
	check_policy_rows(rows, COUNT(rows));
}

/* Every byte at every place of a name: what is no name is refused, whether or not there is a word for it. */
static void test_bytes_of_names(void **state)
{
	static const char first[] = "@%+-~^$", nowhere[] = "\"'`*?[]{}:/=#()<>;|&!";
	unsigned int wrong = 0;

	(void)state;
	for (int byte = '!'; byte <= '~'; byte++) {
		for (int at = 0; at < 3; at++) {
			char text[] = "deny br0 user=abc\n", error[512];
			bool good =
				!strchr(nowhere, byte) && (at > 0 || !strchr(first, byte)) && (byte != ',' || at == 1);

			text[14 + at] = (char)byte;
			policy_free(memory_load_text(text, sizeof(text) - 1, error));
			wrong += good != !*error;
		}
	}
	assert_int_equal(wrong, 0);
}

/*
 * What means something elsewhere, and here would be the name of nobody: a deny of it would deny nobody. Groups as in
 * lxc-usernet and sudoers, netgroups, exceptions, patterns, ranges, quotes, lists with blanks; names with blanks
 * (systemd/systemd#15149).
 */
static void test_foreign_words(void **state)
{
	static const struct policy_row rows[] = {
		{TEXT("deny br0 user=@guests\n"), "/p:1:15: '@guests', expected 'group=guests' for a group"},
		{TEXT("deny br0 user=alice,%guests\n"), "/p:1:21: '%guests', expected 'group=guests' for a group"},
		{TEXT("deny br0 group=@guests\n"), "/p:1:16: '@guests', expected 'group=guests' for a group"},
		{TEXT("allow br0 group=%x\n"), "/p:1:17: '%x', expected 'group=x' for a group"},
		{TEXT("deny br0 user=+lab\n"), "/p:1:15: '+lab', expected the users of netgroup 'lab', apart by ','"},
		{TEXT("allow br0 user=!bob\n"),
			"/p:1:16: '!bob', expected for all but some a rule of its own, as in 'deny br0 user=bob'"},
		{TEXT("allow br0 user=alice,-bob\n"),
			"/p:1:22: '-bob', expected for all but some a rule of its own, as in 'deny br0 user=bob'"},
		{TEXT("deny br0 user=*\n"), "/p:1:15: '*', expected neither 'user=' nor 'group=' for everybody"},
		{TEXT("deny br0 user=ALL\n"), "/p:1:15: 'ALL', expected neither 'user=' nor 'group=' for everybody"},
		{TEXT("deny br0 group=all\n"), "/p:1:16: 'all', expected neither 'user=' nor 'group=' for everybody"},
		{TEXT("deny br0 user=guest*\n"), "/p:1:15: 'guest*', expected each name, apart by ','"},
		{TEXT("deny br0 user=guest[12]\n"), "/p:1:15: 'guest[12]', expected each name, apart by ','"},
		{TEXT("deny br0 user=guest?,bob\n"), "/p:1:15: 'guest?', expected each name, apart by ','"},
		{TEXT("deny br0 user={a,b}\n"), "/p:1:15: '{a', expected each name, apart by ','"},
		{TEXT("deny br0 user=1000-1010\n"),
			"/p:1:15: '1000-1010', expected each number with '#' before it, apart by ','"},
		{TEXT("deny br0 user=#1000-1010\n"), "/p:1:15: '#1000-1010'" ACCOUNT_NUMBER},
		{TEXT("deny br0 user=\"bob\"\n"),
			"/p:1:15: '\\x22bob\\x22', expected names without quotes, and '#number' for one with a blank"},
		{TEXT("deny br0 user='bob'\n"),
			"/p:1:15: '\\x27bob\\x27', expected names without quotes, and '#number' for one with a blank"},
		{TEXT("deny br0 group=\"domain users\"\n"),
			"/p:1:16: '\\x22domain', expected names without quotes, and '#number' for one with a blank"},
		{TEXT("deny br0 user=$USER\n"), "/p:1:15: '$USER', expected the name itself"},
		{TEXT("deny br0 user=alice;bob\n"),
			"/p:1:15: 'alice;bob', expected names or '#number', apart by ',' alone"},
		{TEXT("deny br0 user=alice|bob\n"),
			"/p:1:15: 'alice|bob', expected names or '#number', apart by ',' alone"},
		{TEXT("deny br0 user=(alice)\n"),
			"/p:1:15: '(alice)', expected names or '#number', apart by ',' alone"},
		/* What may be a name is one: of Samba, of a domain, with digits. */
		{TEXT("deny br0 user=host$,d\\u,a@b,a+b,ab-1,1-a,1000,-\n"),
			"/p:1:47: '-', expected for all but some a rule of its own, as in 'deny br0 user='"},
		{TEXT("deny br0 user=host$,d\\u,a@b,a+b,ab-1,1-a,1000,al,alll,1-,_x\n"), ""},
		{TEXT("deny br0 group=domain users\n"),
			"/p:1:23: unknown word 'users' on a deny rule behind a name (one with a blank is written "
			"'#number'), expected 'user=' or 'group='"},
		{TEXT("allow br0 group=domain\\ users\n"),
			"/p:1:25: unknown word 'users' on an allow rule behind a name (one with a blank is written "
			"'#number')" ALLOW_WORDS},
		/* Lists with blanks. */
		{TEXT("allow br0 user=alice ,bob\n"),
			"/p:1:22: unknown word ',bob' on an allow rule, expected 'user=alice,bob' without a blank"},
		{TEXT("allow br0 user=alice, bob\n"),
			"/p:1:22: an empty name, expected 'user=alice,bob' without a blank"},
		{TEXT("deny br0 group=a,b,\tc\n"), "/p:1:20: an empty name, expected 'group=a,b,c' without a blank"},
		{TEXT("allow br0 user= alice max=1\n"),
			"/p:1:15: 'user' without a value, expected 'user=alice' without a blank"},
		{TEXT("allow br0 user=alice, max=1\n"),
			"/p:1:22: an empty name, expected names or '#number', apart by ',' alone"},
		{TEXT("allow br0 user=alice,\n"),
			"/p:1:22: an empty name, expected names or '#number', apart by ',' alone"},
		{TEXT("allow br0 user=\n"), "/p:1:15: 'user' without a value, expected 'user=...'"},
		/* Accounts without a word before them, and the network behind them. */
		{TEXT("allow lab alice\n"),
			"/p:1:11: unknown word 'alice' on an allow rule, expected 'user=alice' for a user, or 'allow "
			"alice user=lab' if that is the network"},
		{TEXT("deny alice lab\n"),
			"/p:1:12: unknown word 'lab' on a deny rule, expected 'user=lab' for a user, or 'deny lab "
			"user=alice' if that is the network"},
		{TEXT("allow lab %students\n"),
			"/p:1:11: unknown word '%students' on an allow rule, expected 'group=students' for a group"},
		{TEXT("allow lab @students\n"),
			"/p:1:11: unknown word '@students' on an allow rule, expected 'group=students' for a group"},
		{TEXT("deny lab #1000\n"),
			"/p:1:10: '#' after a rule, expected 'user=#1000' for a user, comments on lines of their own"},
		{TEXT("deny lab # 1000\n"), "/p:1:10: '#' after a rule, expected comments on lines of their own"},
		{TEXT("allow lab isolate\n"), "/p:1:11: unknown word 'isolate' on an allow rule" ALLOW_WORDS},
		{TEXT("allow lab LOCK_MAC\n"), "/p:1:11: unknown word 'LOCK_MAC' on an allow rule" ALLOW_WORDS},
		{TEXT("allow lab users=1\n"), "/p:1:11: unknown word 'users' on an allow rule" ALLOW_WORDS},
		{TEXT("allow br0 user=alice max=1 users\n"),
			"/p:1:28: unknown word 'users' on an allow rule" ALLOW_WORDS},
		{TEXT("allow br0 user=alice users=1\n"), "/p:1:22: unknown word 'users' on an allow rule" ALLOW_WORDS},
		/* Networks. */
		{TEXT("deny !br0\n"), "/p:1:6: network '!br0', expected 'allow all' and 'deny br0', which wins"},
		{TEXT("deny br*\n"), "/p:1:6: network 'br*', expected each name in a line of its own, or 'all'"},
		{TEXT("deny *\n"), "/p:1:6: network '*', expected 'all' for all networks"},
		{TEXT("deny br+\n"), "/p:1:6: network 'br+', expected each name in a line of its own, or 'all'"},
		{TEXT("deny br[0-3] user=bob\n"),
			"/p:1:6: network 'br[0-3]', expected each name in a line of its own, or 'all'"},
		{TEXT("deny br0,br1\n"), "/p:1:6: network 'br0,br1', expected each name in a line of its own"},
		{TEXT("allow br0;\n"), "/p:1:7: network 'br0;', expected each name in a line of its own"},
		{TEXT("deny \"br0\"\n"), "/p:1:6: network '\\x22br0\\x22', expected a name without quotes"},
		{TEXT("allow = br0\n"), "/p:1:7: network '=', expected the network here, as in 'allow br0 user=alice'"},
		{TEXT("allow user=alice br0\n"),
			"/p:1:7: network 'user=alice', expected the network here, as in 'allow br0 user=alice'"},
		{TEXT("deny ALL\n"), "/p:1:6: network 'ALL' is a reserved word, expected an interface's name or 'all'"},
		{TEXT("deny b+r\n"), ""},
		{TEXT("network br+ internal\n"),
			"/p:1:9: network 'br+', expected each name in a line of its own, or 'all'"},
	};

	(void)state;
	check_explained_rows(rows, COUNT(rows));
}

#define SETTINGS ", as in libvirt's qemu.conf or other settings, expected a rule, as in 'allow br0 user=alice'"
#define RULE	 ", expected a rule, as in 'allow br0 user=alice'"

/* Lines of other programs' files: whose they are, and what is meant. */
static void test_foreign_lines(void **state)
{
	static const struct policy_row rows[] = {
		{TEXT("* 10.0.0.0/8 192.168.0.0/16\n"),
			"/p:1:1: unknown word '*', as in VirtualBox's networks.conf, expected 'network NAME host-only "
			"ADDRESS/PREFIX'"},
		{TEXT("alice veth lxcbr0 10\n"),
			"/p:1:1: unknown word 'alice', as in lxc-usernet, expected 'allow lxcbr0 user=alice max=10'"},
		{TEXT("@students veth br0 2\n"),
			"/p:1:1: unknown word '@students', as in lxc-usernet, expected 'allow br0 group=students "
			"max=2'"},
		{TEXT("alice veth br0\n"),
			"/p:1:1: unknown word 'alice', expected 'allow', 'deny', 'include', 'network', 'guest', 'forward' or '#'"},
		{TEXT("allow=br0\n"), "/p:1:1: unknown word 'allow=br0', expected 'allow br0'"},
		{TEXT("allow:br0\n"), "/p:1:1: unknown word 'allow:br0', expected 'allow br0'"},
		{TEXT("deny: br0\n"), "/p:1:1: unknown word 'deny:', expected 'deny br0'"},
		{TEXT("allow=\"br0\"\n"), "/p:1:1: unknown word 'allow=\\x22br0\\x22', expected 'allow \\x22br0\\x22'"},
		{TEXT("bridge_helper = \"/usr/libexec/qemu-bridge-helper\"\n"),
			"/p:1:1: unknown word 'bridge_helper'" SETTINGS},
		{TEXT("user=\"root\"\n"), "/p:1:1: unknown word 'user=\\x22root\\x22'" SETTINGS},
		{TEXT("network:\n"), "/p:1:1: unknown word 'network:'" SETTINGS},
		{TEXT("[Match]\n"), "/p:1:1: unknown word '[Match]', as in an .ini file" RULE},
		{TEXT("<network>\n"), "/p:1:1: unknown word '<network>', as in libvirt's XML" RULE},
		{TEXT("{\n"), "/p:1:1: unknown word '{', as in JSON" RULE},
		{TEXT("auto br0\n"),
			"/p:1:1: unknown word 'auto', as in ifupdown's interfaces, expected 'network NAME MODE "
			"ADDRESS/PREFIX'"},
		{TEXT("%wheel ALL=(ALL) ALL\n"),
			"/p:1:1: unknown word '%wheel', as in sudoers, expected 'allow NETWORK group=NAME'"},
		{TEXT("permit alice\n"),
			"/p:1:1: unknown word 'permit', as in doas.conf, expected 'allow NETWORK user=NAME'"},
	};

	(void)state;
	check_explained_rows(rows, COUNT(rows));
}

/* What others call the words of a network's line, and a path between quotes. */
static void test_foreign_settings(void **state)
{
#define ON_NAT_NETWORK "' on a nat network, expected "
	static const struct policy_row rows[] = {
		{TEXT("network a nat gateway=10.0.0.1\n"),
			"/p:1:15: unknown word 'gateway" ON_NAT_NETWORK "the host's address with its prefix, as in "
			"172.16.2.1/24: it is the guests' gateway"},
		{TEXT("network a nat 10.0.0.1/24 gw=10.0.0.1 mtu=1400\n"),
			"/p:1:27: unknown word 'gw" ON_NAT_NETWORK "the host's address with its prefix, as in "
			"172.16.2.1/24: it is the guests' gateway"},
		{TEXT("network a nat subnet=10.0.0.0/24\n"), "/p:1:15: unknown word 'subnet" ON_NAT_NETWORK
							     "the host's address alone, with its prefix, as in "
							     "172.16.2.1/24"},
		{TEXT("network a nat 10.0.0.1 netmask=255.255.255.0\n"),
			"/p:1:23: address '10.0.0.1' without a prefix, expected one as in 172.16.2.1/24"},
		{TEXT("network a nat 10.0.0.1/24 netmask=255.255.255.0\n"),
			"/p:1:27: unknown word 'netmask" ON_NAT_NETWORK
			"the prefix behind the address, as in 172.16.2.1/24"},
		{TEXT("network a nat 10.0.0.1/24 range=10.0.0.2-10.0.0.9\n"),
			"/p:1:27: unknown word 'range" ON_NAT_NETWORK "'dhcp=FIRST-LAST'"},
		{TEXT("network a nat 10.0.0.1/24 nameserver=1.1.1.1\n"),
			"/p:1:27: unknown word 'nameserver" ON_NAT_NETWORK "'dns=ADDRESS' beside 'dhcp='"},
		{TEXT("network a nat 10.0.0.1/24 bandwidth=10\n"),
			"/p:1:27: unknown word 'bandwidth" ON_NAT_NETWORK
			"'rate=' for what each guest sends, 'rate-in=' for what it receives, as in rate=100mbit"},
		{TEXT("network a internal dhcp=10.0.0.2-10.0.0.9\n"),
			"/p:1:20: option 'dhcp' on an internal network, expected it in the modes 'nat', 'shared', 'routed', "
			"'host-only' and 'standalone': on others guests take addresses by hand"},
		{TEXT("network shared a 10.0.0.1/24\n"),
			"/p:1:16: unknown mode 'a', expected the name first, as in 'network a shared'"},
		{TEXT("network a nat 10.0.0.1/24\nguest box on a 10.0.0.5\n"),
			"/p:2:16: unknown word '10.0.0.5' on a guest, expected 'ip=10.0.0.5'"},
		{TEXT("network a nat 10.0.0.1/24\nguest box on a fd00::5\n"),
			"/p:2:16: unknown word 'fd00::5' on a guest, expected 'ip6=fd00::5'"},
		{TEXT("network a nat 10.0.0.1/24\nguest box on a 52:54:00:00:00:01\n"),
			"/p:2:16: unknown word '52:54:00:00:00:01' on a guest, expected 'mac=52:54:00:00:00:01'"},
		{TEXT("network a nat 10.0.0.1/24\nguest box on a ip=10.0.1.5\n"),
			"/p:2:19: address '10.0.1.5' is not in the network's subnet, expected one that is"},
		{TEXT("forward tcp/22 to box\n"), "/p:1:9: 'tcp/22', expected '22/tcp'"},
		{TEXT("forward 22:udp to box\n"), "/p:1:9: '22:udp', expected '22/udp'"},
		{TEXT("forward 8000:8010/tcp to box\n"), "/p:1:9: port '8000:8010', expected '8000-8010/tcp'"},
		{TEXT("forward 8000:8010 to box\n"), "/p:1:9: '8000:8010', expected '8000-8010/tcp'"},
		{TEXT("forward 22 to box\n"),
			"/p:1:9: '22', expected a port and its protocol as in 8022/tcp or 6000-6010/udp"},
		{TEXT("deny all except alice\n"), "/p:1:10: unknown word 'except' on a deny rule, expected a "
						  "rule of its own for them, as in 'deny br0 user=bob': a deny wins"},
		{TEXT("network a nat 10.0.0.1/24 gate=10.0.0.1\n"),
			"/p:1:27: unknown word 'gate" ON_NAT_NETWORK
			"'queues=', 'mtu=', 'rate=', 'rate-in=', 'isolated', 'lock-mac', 'dhcp=', 'ra', 'lock-ip', 'leases=', 'lease=', 'dns=', 'domain=', 'search=', 'router=', 'ntp=', 'boot=' or 'list='"},
		{TEXT("include \"/etc/tapgate.d/a\"\n"), "/p:1:9: relative path, expected the path without quotes"},
		{TEXT("include 'a b'\n"), "/p:1:9: relative path, expected the path without quotes"},
	};

	(void)state;
	check_explained_rows(rows, COUNT(rows));
}

static void test_rule_options(void **state)
{
	static const struct policy_row rows[] = {
		{TEXT("allow br0 max=1\n"), ""},
		{TEXT("allow br0 max=65535\n"), ""},
		{TEXT("allow br0 guard lock-mac isolated vlan=4094 mac=52:54:00:12:34:5F queues=16 max=3 group=a\n"),
			""},
		{TEXT("allow br0 max\n"), "/p:1:14: 'max' without a value, expected 'max=...'"},
		{TEXT("allow br0 max=\n"), "/p:1:14: 'max' without a value, expected 'max=...'"},
		{TEXT("allow br0 max=0\n"), "/p:1:15: max='0', expected a number from 1 to 65535"},
		{TEXT("allow br0 max=65536\n"), "/p:1:15: max='65536', expected a number from 1 to 65535"},
		{TEXT("allow br0 max=4294967297\n"), "/p:1:15: max='4294967297', expected a number from 1 to 65535"},
		{TEXT("allow br0 max=-1\n"), "/p:1:15: max='-1', expected a number from 1 to 65535"},
		{TEXT("allow br0 max=+1\n"), "/p:1:15: max='+1', expected a number from 1 to 65535"},
		{TEXT("allow br0 max=01\n"), "/p:1:15: max='01', expected a number from 1 to 65535"},
		{TEXT("allow br0 max=3x\n"), "/p:1:15: max='3x', expected a number from 1 to 65535"},
		{TEXT("allow br0 max==3\n"), "/p:1:15: max='=3', expected a number from 1 to 65535"},
		{TEXT("allow br0 max=1,2\n"), "/p:1:15: max='1,2', expected a number from 1 to 65535"},
		{TEXT("allow br0 max=2 max=2\n"), "/p:1:17: 'max' for the second time, expected it once"},
		{TEXT("allow br0 queues=17\n"), "/p:1:18: queues='17', expected a number from 1 to 16"},
		{TEXT("allow br0 queues=0\n"), "/p:1:18: queues='0', expected a number from 1 to 16"},
		{TEXT("allow br0 vlan=1\n"), ""},
		{TEXT("allow br0 vlan=0\n"), "/p:1:16: vlan='0', expected a number from 1 to 4094"},
		{TEXT("allow br0 vlan=4095\n"), "/p:1:16: vlan='4095', expected a number from 1 to 4094"},
		{TEXT("allow br0 isolated isolated\n"), "/p:1:20: 'isolated' for the second time, expected it once"},
		{TEXT("allow br0 isolated=\n"), "/p:1:19: 'isolated' with a value, expected the word alone"},
		{TEXT("allow br0 guard=yes\n"), "/p:1:16: 'guard' with a value, expected the word alone"},
		{TEXT("allow br0 lock-mac=1\n"), "/p:1:19: 'lock-mac' with a value, expected the word alone"},
		{TEXT("allow br0 mtu=1500\n"), ""},
		{TEXT("allow br0 mtu=67\n"), "/p:1:15: mtu='67', expected a number from 68 to 65521"},
		{TEXT("allow br0 rate=64kbit rate-in=32gbit\nnetwork a internal rate=1mbit\n"), ""},
		{TEXT("allow br0 rate=63kbit\n"),
			"/p:1:16: rate='63kbit', expected a number and its unit, 'kbit', 'mbit' or 'gbit', from 64kbit to 32gbit"},
		{TEXT("allow br0 rate-in=33gbit\n"),
			"/p:1:19: rate-in='33gbit', expected a number and its unit, 'kbit', 'mbit' or 'gbit', from 64kbit to 32gbit"},
		{TEXT("allow br0 rate=100\n"),
			"/p:1:16: rate='100', expected a number and its unit, 'kbit', 'mbit' or 'gbit', from 64kbit to 32gbit"},
		{TEXT("allow br0 rate=mbit\n"),
			"/p:1:16: rate='mbit', expected a number and its unit, 'kbit', 'mbit' or 'gbit', from 64kbit to 32gbit"},
		{TEXT("allow br0 rate=4294967297kbit\n"),
			"/p:1:16: rate='4294967297kbit', expected a number and its unit, 'kbit', 'mbit' or 'gbit', from 64kbit to 32gbit"},
		{TEXT("allow br0 rate=1mbit rate=1mbit\n"), "/p:1:22: 'rate' for the second time, expected it once"},
		{TEXT("deny br0 rate=1mbit\n"), "/p:1:10: option 'rate' on a deny rule, expected 'user=' or 'group='"},
		{TEXT("allow br0 mtu=1500 mtu=1500\n"), "/p:1:20: 'mtu' for the second time, expected it once"},
		{TEXT("allow br0 dhcp=1.2.3.4-1.2.3.5\n"), "/p:1:11: option 'dhcp' on an allow rule" ALLOW_WORDS},
		{TEXT("allow br0 per-vm=/30\n"), "/p:1:11: option 'per-vm' on an allow rule" ALLOW_WORDS},
		{TEXT("allow br0 Max=1\n"), "/p:1:11: unknown word 'Max' on an allow rule" ALLOW_WORDS},
		{TEXT("allow br0 =1\n"), "/p:1:11: unknown word '' on an allow rule" ALLOW_WORDS},
		{TEXT("allow br0 users=alice\n"), "/p:1:11: unknown word 'users' on an allow rule" ALLOW_WORDS},
		{TEXT("deny br0 max=1\n"), "/p:1:10: option 'max'" DENY_WORDS},
		{TEXT("deny br0 isolated\n"), "/p:1:10: option 'isolated'" DENY_WORDS},
		{TEXT("deny br0 group=a mac=52:54:00:12:34:56\n"), "/p:1:18: option 'mac'" DENY_WORDS},
	};

	(void)state;
	check_policy_rows(rows, COUNT(rows));
}

static void test_hardware_addresses(void **state)
{
	static const char *const bad[] = {"52:54:00:12:34", "52:54:00:12:34:5", "52:54:00:12:34:567", "525400123456",
		"52-54-00-12-34-56", "52:54:00:12:34:5g", "52:54:00:12:34:56:78", "01:00:5e:00:00:01",
		"ff:ff:ff:ff:ff:ff", "00:00:00:00:00:00", "5:254:00:12:34:56", "52:54:00:12:34,56", "x"};
	static const char *const good[] = {"00:00:00:00:00:01", "fe:ff:ff:ff:ff:ff", "52:54:00:aB:Cd:eF"};
	char text[128], expected[256], error[512];
	unsigned int wrong = 0;

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		snprintf(text, sizeof(text), "allow br0 mac=%s\n", bad[i]);
		snprintf(expected, sizeof(expected),
			"/p:1:15: mac='%s', expected a unicast hardware address as in 52:54:00:12:34:56", bad[i]);
		policy_free(memory_load_text(text, strlen(text), error));
		wrong += differ(text, strlen(text), "", expected, error);
	}
	for (size_t i = 0; i < COUNT(good); i++) {
		snprintf(text, sizeof(text), "allow br0 mac=%s\n", good[i]);
		policy_free(memory_load_text(text, strlen(text), error));
		wrong += differ(text, strlen(text), "", "", error);
	}
	assert_int_equal(wrong, 0);
}

/* What a standalone network cannot have, on rules that name it, whichever line comes first; on rules for all it may. */
static void test_rules_for_standalone_networks(void **state)
{
#define NETWORK	 "network tap1 standalone 10.0.0.1/24\n"
#define EXPECTED "' on a rule for 'tap1', expected none that needs a bridge: it is a standalone network"
	static const struct policy_row rows[] = {
		{TEXT("allow tap1 lock-mac\n" NETWORK), "/p:1:12: option 'lock-mac" EXPECTED},
		{TEXT(NETWORK "allow tap1 user=a max=2 guard\n"), "/p:2:25: option 'guard" EXPECTED},
		{TEXT(NETWORK "# x\n  allow  tap1 vlan=7\n"), "/p:3:15: option 'vlan" EXPECTED},
		{TEXT(NETWORK "allow tap1 mac=52:54:00:12:34:56 lock-mac\n"), "/p:2:12: option 'mac" EXPECTED},
		{TEXT(NETWORK "allow tap1 max=2 queues=4 mtu=1400 isolated\n"), ""},
		{TEXT(NETWORK "allow all lock-mac guard vlan=7\n"), ""},
		{TEXT("allow tap1 lock-mac\nnetwork tap1 bridged\n"
		      "network tap2 standalone 10.0.0.1/24\n"),
			""},
		{TEXT("allow tap1 lock-mac\nallow tap11 lock-mac\n"), ""},
	};

	(void)state;
	check_policy_rows(rows, sizeof(rows) / sizeof(*rows));
}

/* Nor have the bridges that tapgate makes all that a bridge can have. */
static void test_rules_for_own_bridges(void **state)
{
#define NETWORKS  "network web nat 10.0.0.1/24\nnetwork lab host-only 10.0.1.1/24\nnetwork quiet internal\n"
#define NEITHER	  "', expected neither 'guard' nor 'vlan=': the bridge of its mode, '"
#define NO_SERVER "', expected none on a network without 'dhcp=', or with 'ra': nobody gives its guests their addresses"
#define NO_SUCH	  "', has no spanning tree and no VLANs"
	static const struct policy_row rows[] = {
		{TEXT(NETWORKS "allow web guard\n"),
			"/p:4:11: option 'guard' on a rule for 'web" NEITHER "nat" NO_SUCH},
		{TEXT("allow lab user=a vlan=7\n" NETWORKS),
			"/p:1:18: option 'vlan' on a rule for 'lab" NEITHER "host-only" NO_SUCH},
		{TEXT(NETWORKS "allow quiet vlan=7 guard\n"),
			"/p:4:13: option 'vlan' on a rule for 'quiet" NEITHER "internal" NO_SUCH},
		{TEXT(NETWORKS "allow web lock-mac isolated mac=52:54:00:12:34:56 mtu=1400 queues=2 max=1\n"), ""},
		{TEXT(NETWORKS "allow web lock-ip\n"), "/p:4:11: option 'lock-ip' on a rule for 'web" NO_SERVER},
		{TEXT(NETWORKS "allow quiet max=1 lock-ip\n"),
			"/p:4:19: option 'lock-ip' on a rule for 'quiet" NO_SERVER},
		{TEXT("network v6 nat 10.0.0.1/24 fd00::1/64 dhcp=10.0.0.2-10.0.0.9 ra\nallow v6 lock-ip\n"),
			"/p:2:10: option 'lock-ip' on a rule for 'v6" NO_SERVER},
		{TEXT("allow v4 lock-ip\nnetwork v4 shared 10.0.0.1/24 dhcp=10.0.0.2-10.0.0.9\nallow br0 lock-ip\n"),
			""},
		{TEXT(NETWORKS "allow all guard vlan=7\nallow br0 guard vlan=7\nallow lab2 guard\n"), ""},
	};

	(void)state;
	check_policy_rows(rows, sizeof(rows) / sizeof(*rows));
}

static void take_account(void *context, const struct policy_account_word *account)
{
	char *text = context;

	text_append(text, 256, " %u at %.*s", account->number, (int)account->at.size, account->at.at);
}

/* A policy's last rule, or its error, as text. */
static void last_rule(const char *first, const char *second, char text[static 1024])
{
	char policy_text[256], error[512], accounts[256] = "";
	struct policy *policy;
	struct policy_rule rule;

	snprintf(policy_text, sizeof(policy_text), "%s\n%s\n", first, second);
	policy = memory_load_text(policy_text, strlen(policy_text), error);
	snprintf(text, 1024, "%s", error);
	if (!policy)
		return;
	rule = policy_rule(policy, policy_rule_count(policy) - 1);
	policy_each_account(policy, policy_rule_count(policy) - 1, take_account, accounts);
	snprintf(text, 1024, "%d %d '%s' max %u, %zu:%s, line %u '%.*s' '%.*s'", rule.allow, rule.who, rule.network,
		rule.options->max, rule.account_count, accounts, rule.line, (int)rule.words.size, rule.words.at,
		(int)rule.whole.size, rule.whole.at);
	policy_free(policy);
}

/* What a line says does not depend on the one before, which it may repeat up to a number. */
static void test_repeated_rules(void **state)
{
	static const char *const lines[] = {
		"allow br0 user=#5",
		"allow br0 user=#6",
		"allow br0 user=#0",
		"allow br0 user=#4294967294",
		"allow br0 user=#4294967295",
		"allow br0 user=#4294967296",
		"allow br0 user=#006",
		"allow br0 user=#",
		"allow br0 user=#6 ",
		" allow br0 user=#6",
		"allow br0 user=#6 max=3",
		"allow br0 max=3 user=#6",
		"allow br0 max=3 user=#7",
		"allow br0 user=#6,#7",
		"allow br0 user=alice",
		"allow br0 user=alice,#6",
		"allow br0 user=#6x",
		"allow br0 user=#6\t#",
		"allow br0 user=#-6",
		"allow br0 group=#6",
		"allow br1 user=#6",
		"deny br0 user=#6",
		"deny all user=#7",
		"deny all user=#8",
		"allow br0",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(lines); i++) {
		for (size_t j = 0; j < COUNT(lines); j++) {
			char alone[1024], behind[1024];

			last_rule(lines[i], "# a comment, and no rule", alone);
			if (strncmp(alone, "/p:", 3) == 0)
				continue; /* the first is refused itself */
			last_rule("# a comment, and no rule", lines[j], alone);
			last_rule(lines[i], lines[j], behind);
			if (strcmp(alone, behind) != 0)
				fail_msg("'%s' behind '%s': %s; alone: %s", lines[j], lines[i], behind, alone);
		}
	}
}

/* What policy/options.def has to be like, for those who read it. */
static void test_table(void **state)
{
	(void)state;
	for (size_t i = 0; i < POLICY_OPTION_COUNT; i++) {
		const struct policy_option_row *row = &policy_option_rows[i];

		assert_true(row->word && *row->word && row->stands);
		/* Numbers are from 1 on, as 0 stands for one that is not given, and have a place of their own. */
		assert_true(policy_option_is_number(row) == (row->min >= 1 && row->max >= row->min && row->at));
		for (size_t other = 0; other < i; other++)
			assert_true(!row->at || row->at != policy_option_rows[other].at);
		/* What a rule may take on some networks only stands on rules, and on no line of the others. */
		assert_true(
			!row->takes || ((row->stands & ON_ALLOW) && !(row->stands & ON_ALL_NETWORKS & ~row->takes)));
		/* What this kernel may lack is said by name; what another option brings with it is a setting. */
		assert_true(!row->port[0].attribute || row->linux_version);
		assert_true(!row->implies || policy_option_row(row->implies)->port[0].attribute);
	}
}

/* Behind the longest word that is shown, the longest list of what is expected is there to its end. */
static void test_lists_are_whole(void **state)
{
	static const struct {
		enum policy_place place;
		const char *line;
	} rows[] = {{ON_ALLOW, "allow br0"}, {ON_DENY, "deny br0"}, {ON_BRIDGED, "network a bridged"},
		{ON_NAT, "network a nat"}, {ON_HOST_ONLY, "network a host-only"}, {ON_INTERNAL, "network a internal"},
		{ON_STANDALONE, "network a standalone"}};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct policy_option_row *last = NULL;
		char text[512], error[512], end[64];

		for (size_t row = 0; row < POLICY_OPTION_COUNT; row++) {
			if (policy_option_rows[row].stands & rows[i].place)
				last = &policy_option_rows[row];
		}
		assert_non_null(last);
		snprintf(text, sizeof(text), "%s %0200d\n", rows[i].line, 0);
		policy_free(memory_load_text(text, strlen(text), error));
		snprintf(end, sizeof(end), " or '%s%s'", last->word, last->value == VALUE_NONE ? "" : "=");
		assert_true(strlen(error) > strlen(end));
		assert_string_equal(error + strlen(error) - strlen(end), end);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rule_names),
		cmocka_unit_test(test_repeated_rules),
		cmocka_unit_test(test_rule_accounts),
		cmocka_unit_test(test_foreign_words_refused),
		cmocka_unit_test(test_bytes_of_names),
		cmocka_unit_test(test_foreign_words),
		cmocka_unit_test(test_foreign_lines),
		cmocka_unit_test(test_foreign_settings),
		cmocka_unit_test(test_rule_options),
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_lists_are_whole),
		cmocka_unit_test(test_rules_for_standalone_networks),
		cmocka_unit_test(test_rules_for_own_bridges),
		cmocka_unit_test(test_hardware_addresses),
	};

	return cmocka_run_group_tests_name("policy: rules", tests, NULL, NULL);
}
