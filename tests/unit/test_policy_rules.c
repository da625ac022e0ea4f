/*
 * Tests of `allow` and `deny` lines: every form, every option, every refusal to the letter. What rules mean is
 * test_policy_decide.c's concern.
 */
#include "tests/unit/test_policy.h"

#define ALLOW_WORDS                                                                                                    \
	", expected 'user=', 'group=', 'max=', 'queues=', 'mac=', 'vlan=', 'mtu=', 'isolated', 'lock-mac' or 'guard'"
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
		const struct policy_reader reader = {memory_read, files};
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
			"/p:1:1: unknown word 'alice', expected 'allow', 'deny', 'include', 'network' or '#'"},
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
		{TEXT("allow br0 user=alice ,bob\n"),
			"/p:1:22: unknown word ',bob' on an allow rule behind a name (one with a blank is written "
			"'#number')" ALLOW_WORDS},
		{TEXT("allow br0 user=alice max=1 users\n"),
			"/p:1:28: unknown word 'users' on an allow rule" ALLOW_WORDS},
		{TEXT("allow br0 user=alice users=1\n"), "/p:1:22: unknown word 'users' on an allow rule" ALLOW_WORDS},
		/* Networks. */
		{TEXT("deny !br0\n"), "/p:1:6: network '!br0', expected 'allow all' and 'deny br0', which wins"},
		{TEXT("deny br*\n"), "/p:1:6: network 'br*', expected each name in a line of its own, or 'all'"},
		{TEXT("deny *\n"), "/p:1:6: network '*', expected each name in a line of its own, or 'all'"},
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
			"/p:1:1: unknown word 'alice', expected 'allow', 'deny', 'include', 'network' or '#'"},
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
#define NETWORKS "network web nat 10.0.0.1/24\nnetwork lab host-only 10.0.1.1/24\nnetwork quiet internal\n"
#define NEITHER	 "', expected neither 'guard' nor 'vlan=': the bridge of its mode, '"
#define NO_SUCH	 "', has no spanning tree and no VLANs"
	static const struct policy_row rows[] = {
		{TEXT(NETWORKS "allow web guard\n"),
			"/p:4:11: option 'guard' on a rule for 'web" NEITHER "nat" NO_SUCH},
		{TEXT("allow lab user=a vlan=7\n" NETWORKS),
			"/p:1:18: option 'vlan' on a rule for 'lab" NEITHER "host-only" NO_SUCH},
		{TEXT(NETWORKS "allow quiet vlan=7 guard\n"),
			"/p:4:20: option 'guard' on a rule for 'quiet" NEITHER "internal" NO_SUCH},
		{TEXT(NETWORKS "allow web lock-mac isolated mac=52:54:00:12:34:56 mtu=1400 queues=2 max=1\n"), ""},
		{TEXT(NETWORKS "allow all guard vlan=7\nallow br0 guard vlan=7\nallow lab2 guard\n"), ""},
	};

	(void)state;
	check_policy_rows(rows, sizeof(rows) / sizeof(*rows));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rule_names),
		cmocka_unit_test(test_rule_accounts),
		cmocka_unit_test(test_foreign_words_refused),
		cmocka_unit_test(test_bytes_of_names),
		cmocka_unit_test(test_foreign_words),
		cmocka_unit_test(test_foreign_lines),
		cmocka_unit_test(test_rule_options),
		cmocka_unit_test(test_rules_for_standalone_networks),
		cmocka_unit_test(test_rules_for_own_bridges),
		cmocka_unit_test(test_hardware_addresses),
	};

	return cmocka_run_group_tests_name("policy: rules", tests, NULL, NULL);
}
