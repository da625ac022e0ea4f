// SPDX-License-Identifier: MIT
/* Since which version Linux has what tapgate takes of it; tests/documents/documents holds the manuals to it. */
#ifndef POLICY_KERNEL_H
#define POLICY_KERNEL_H

#define LINUX_GUARD	  "3.8"	 /* IFLA_BRPORT_GUARD and IFLA_BRPORT_PROTECT: `guard` */
#define LINUX_ISOLATED	  "4.18" /* IFLA_BRPORT_ISOLATED: `isolated` */
#define LINUX_ALL	  "5.9"	 /* close_range(2): all that is not named here needs no newer one */
#define LINUX_OWNED	  "5.12" /* NFT_TABLE_F_OWNER: the probe of `check --live` */
#define LINUX_EGRESS	  "5.16" /* nftables' egress hook of the family netdev: guards of `internal` networks */
#define LINUX_LOCKED	  "5.18" /* IFLA_BRPORT_LOCKED (a21d9a670d81): `lock-mac` */
#define LINUX_LEARNED_MAX "6.7"	 /* IFLA_BR_FDB_MAX_LEARNED: a limit of the addresses that a bridge learns */

/* IFLA_BRPORT_LOCKED, which kernel headers before that version do not have (linux/if_link.h). */
enum { BRPORT_LOCKED = 39 };

#endif
