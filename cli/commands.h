/* The commands of `tapgate`: one function each, in a file of its name. Each gets the words after its own. */
#ifndef CLI_COMMANDS_H
#define CLI_COMMANDS_H

/* What tapgate exits with. */
enum {
	STATUS_DONE = 0,
	STATUS_FAILED = 1, /* the system refused, or something is not as it should be */
	STATUS_USAGE = 2,
	STATUS_DENIED = 3, /* the policy denies it (explain) */
	STATUS_POLICY = 4, /* the policy is invalid, not trusted, or in conflict with the host */
};

int command_up(int count, char **words);
int command_down(int count, char **words);
int command_status(int count, char **words);
int command_check(int count, char **words);
int command_explain(int count, char **words);
int command_log(int count, char **words);
int command_list(int count, char **words);
int command_ip(int count, char **words);
int command_networks(int count, char **words);
int command_run(int count, char **words); /* does not return if it can do it */
int command_reap(int count, char **words);

#endif
