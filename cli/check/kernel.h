/* What the bridges of this kernel can do: asked of it, in a network namespace that is gone with the answer. */
#ifndef CLI_CHECK_KERNEL_H
#define CLI_CHECK_KERNEL_H

#include <stdint.h>

/*
 * Which of the options isolated, lock-mac, guard and vlan= (enum policy_option) this kernel does not have, whatever the
 * bridge. 0 as well where it cannot be asked: that takes root, or user namespaces for everybody.
 */
uint32_t kernel_lacks(void);

#endif
