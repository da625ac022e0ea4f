/* Whether nobody but root can have written what a descriptor leads to. */
#ifndef FILES_TRUST_H
#define FILES_TRUST_H

#include <stdbool.h>
#include <sys/stat.h>

/* What keeps a file or a directory from being believed, and what an administrator can do: its path follows. */
struct trust_problem {
	const char *what, *cure; /* cure NULL: `what` is all there is to say */
};

/*
 * What keeps a directory on the way to a policy file, or the file itself, from being believed; NULL if nothing does.
 * Both look at what was opened, never at a name: its owner, its mode (an ACL that lets others write shows in the
 * group's bits, acl(5)), and that its file system is not one that a user serves (fuse(4)) and so says of owners what
 * the user likes. In a user namespace a directory may also belong to somebody outside of it, whom that namespace's root
 * could not stop anyway (user_namespaces(7)). In a directory that others may write, and that is sticky, it is not
 * settled by this alone: ask trust_holds of each entry.
 */
const struct trust_problem *trust_directory_problem(int fd, const struct stat *status);
const struct trust_problem *trust_file_problem(int fd, const struct stat *status);

/*
 * Whether others than a directory's owner can put something else in an entry's place: not where they cannot write the
 * directory; nor where it is sticky and the entry is root's, which they can neither rename nor remove then, nor rename
 * another over it (inode(7), rename(2); __check_sticky, fs/namei.c). An entry that only looks like one of the owner's,
 * as ids from outside of a user namespace all look alike, does not hold.
 */
bool trust_holds(const struct stat *directory, const struct stat *entry);

extern const struct trust_problem trust_no_hold; /* what to say if it does not */

#endif
