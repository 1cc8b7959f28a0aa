/* SPDX-License-Identifier: GPL-2.0 */
/* The commands. Each reads its own options and returns the exit code, or COMMAND_HELP. */
#ifndef MEMSTRESS_USER_COMMANDS_H
#define MEMSTRESS_USER_COMMANDS_H

#define COMMAND_HELP (-1)

/**
 * struct command - one command
 * @name: as users type it; NULL ends the table
 * @synopsis: its arguments
 * @summary: what it does, in one line
 * @run: does it; argv[0] is the name of the command. COMMAND_HELP: the user asked for help
 * @print_help: the rest of its --help; NULL if there is none
 */
struct command {
	const char *name;
	const char *synopsis;
	const char *summary;
	int (*run)(int argc, char **argv);
	void (*print_help)(void);
};

int cmd_run(int argc, char **argv);
void cmd_run_help(void);
int cmd_exec(int argc, char **argv);
void cmd_exec_help(void);
int cmd_squeeze(int argc, char **argv);
void cmd_squeeze_help(void);
int cmd_fill(int argc, char **argv);
void cmd_fill_help(void);
int cmd_audit(int argc, char **argv);
void cmd_audit_help(void);
int cmd_sessions(int argc, char **argv);
void cmd_sessions_help(void);
int cmd_events(int argc, char **argv);
void cmd_events_help(void);
int cmd_stat(int argc, char **argv);
void cmd_stat_help(void);
int cmd_watch(int argc, char **argv);
void cmd_watch_help(void);
int cmd_attach(int argc, char **argv);
void cmd_attach_help(void);
int cmd_delegate(int argc, char **argv);
void cmd_delegate_help(void);
int cmd_clean(int argc, char **argv);
void cmd_clean_help(void);
int cmd_kinds(int argc, char **argv);
void cmd_kinds_help(void);
int cmd_doctor(int argc, char **argv);
void cmd_doctor_help(void);

#endif /* MEMSTRESS_USER_COMMANDS_H */
