# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
#
# Completion for bash. It knows nothing itself but asks the tool for its commands and options, so
# that it is right for whatever tool it is used with.

# _memstress TOOL WORD
_memstress() {
	local words

	if ((COMP_CWORD == 1)); then
		words=$("$1" help 2>/dev/null | sed -n 's/^  \([a-z][a-z]*\) .*/\1/p')
		words+=" --help --version"
	elif [[ ${COMP_WORDS[1]} == help ]]; then
		words=$("$1" help 2>/dev/null | sed -n 's/^  \([a-z][a-z]*\) .*/\1/p')
	else
		words=$("$1" help "${COMP_WORDS[1]}" 2>/dev/null | grep -o '^  --[a-z-]*')
		words+=" --help"
	fi
	mapfile -t COMPREPLY < <(compgen -W "$words" -- "$2")
}
complete -F _memstress memstress
