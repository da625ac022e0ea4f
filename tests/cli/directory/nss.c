// SPDX-License-Identifier: MIT
/*
 * A source of names for the name service switch (nsswitch.conf(5)) with one user and one group, in the place of a
 * directory service: "remote", 10007, and "remotes", 10009. Compiled and used by tests/cli/check.md.
 */
#include <errno.h>
#include <grp.h>
#include <nss.h>
#include <pwd.h>
#include <string.h>

static char *nobody[] = {NULL};
static char user_name[] = "remote", group_name[] = "remotes", nothing[] = "";

static enum nss_status give_user(int found, struct passwd *user, int *error)
{
	if (!found) {
		*error = ENOENT;
		return NSS_STATUS_NOTFOUND;
	}
	*user = (struct passwd){.pw_name = user_name,
		.pw_passwd = nothing,
		.pw_uid = 10007,
		.pw_gid = 10010,
		.pw_gecos = nothing,
		.pw_dir = nothing,
		.pw_shell = nothing};
	return NSS_STATUS_SUCCESS;
}

static enum nss_status give_group(int found, struct group *group, int *error)
{
	if (!found) {
		*error = ENOENT;
		return NSS_STATUS_NOTFOUND;
	}
	*group = (struct group){.gr_name = group_name, .gr_passwd = nothing, .gr_gid = 10009, .gr_mem = nobody};
	return NSS_STATUS_SUCCESS;
}

enum nss_status _nss_directory_getpwnam_r(const char *name, struct passwd *user, char *space, size_t size, int *error);
enum nss_status _nss_directory_getpwuid_r(uid_t uid, struct passwd *user, char *space, size_t size, int *error);
enum nss_status _nss_directory_getgrnam_r(const char *name, struct group *group, char *space, size_t size, int *error);
enum nss_status _nss_directory_getgrgid_r(gid_t gid, struct group *group, char *space, size_t size, int *error);

enum nss_status _nss_directory_getpwnam_r(const char *name, struct passwd *user, char *space, size_t size, int *error)
{
	(void)space, (void)size;
	return give_user(strcmp(name, user_name) == 0, user, error);
}

enum nss_status _nss_directory_getpwuid_r(uid_t uid, struct passwd *user, char *space, size_t size, int *error)
{
	(void)space, (void)size;
	return give_user(uid == 10007, user, error);
}

enum nss_status _nss_directory_getgrnam_r(const char *name, struct group *group, char *space, size_t size, int *error)
{
	(void)space, (void)size;
	return give_group(strcmp(name, group_name) == 0, group, error);
}

enum nss_status _nss_directory_getgrgid_r(gid_t gid, struct group *group, char *space, size_t size, int *error)
{
	(void)space, (void)size;
	return give_group(gid == 10009, group, error);
}
