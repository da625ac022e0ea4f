/* Whether nobody but root can have written what a descriptor leads to. */
#ifndef FILES_TRUST_H
#define FILES_TRUST_H

#include <sys/stat.h>

/*
 * What keeps a directory on the way to a policy file, or the file itself, from being believed, as a phrase; NULL if
 * nothing does. Both look at what was opened, never at a name: its owner, its mode (an ACL that lets others write shows
 * in the group's bits, acl(5)), and that its file system is not one that a user serves (fuse(4)) and so says of owners
 * what the user likes. In a user namespace a directory may also belong to somebody outside of it, whom that namespace's
 * root could not stop anyway (user_namespaces(7)).
 */
const char *trust_directory_problem(int fd, const struct stat *status);
const char *trust_file_problem(int fd, const struct stat *status);

#endif
