# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
#
# Completion for bash. It knows nothing itself but asks the tool for its commands and options, and
# whether a command or an option takes cgroups, which are directories, or a command a job, which is
# a file, so that it is right for whatever tool it is used with.

# _memstress TOOL WORD
_memstress() {
	local words help=

	if ((COMP_CWORD == 1)); then
		words=$("$1" help 2>/dev/null | sed -n 's/^  \([a-z][a-z]*\) .*/\1/p')
		words+=" --help --version"
	elif [[ ${COMP_WORDS[1]} == help ]]; then
		words=$("$1" help 2>/dev/null | sed -n 's/^  \([a-z][a-z]*\) .*/\1/p')
	elif [[ ${COMP_WORDS[1]} == exec && " ${COMP_WORDS[*]:2:COMP_CWORD-2} " == *" -- "* ]]; then
		# The command of exec: its name, and what it is given may be anything.
		if [[ ${COMP_WORDS[COMP_CWORD - 1]} == -- ]]; then
			mapfile -t COMPREPLY < <(compgen -c -- "$2")
		else
			mapfile -t COMPREPLY < <(compgen -f -- "$2")
		fi
		return
	else
		help=$("$1" help "${COMP_WORDS[1]}" 2>/dev/null)
		words=$(grep -o '^  --[a-z-]*' <<<"$help")
		words+=" --help"
	fi
	mapfile -t COMPREPLY < <(compgen -W "$words" -- "$2")
	if [[ $2 == /* ]] && { [[ ${help%%$'\n'*} == *CGROUP* ]] ||
		grep -q -- "^  ${COMP_WORDS[COMP_CWORD - 1]} CGROUP" <<<"$help"; }; then
		mapfile -t COMPREPLY < <(compgen -d -- "$2")
		compopt -o filenames 2>/dev/null
	elif [[ $2 != -* && ${help%%$'\n'*} == *JOB* ]]; then
		mapfile -t COMPREPLY < <(compgen -f -X '!*.ini' -- "$2"; compgen -d -- "$2")
		compopt -o filenames 2>/dev/null
	fi
}
complete -F _memstress memstress
