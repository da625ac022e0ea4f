# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# Completion of tapgate(8) for bash: commands, options, networks, users, and the command behind `tapgate run`.
#
# What there is to complete is asked of tapgate itself: `tapgate help` lists the commands, and `tapgate help COMMAND`
# the options of one and what its other words are.

# Those lines of standard input that begin like the word at hand. Not compgen -W, which expands what it is given.
_tapgate_offer() {
	local line
	while IFS= read -r line; do
		[[ $line != "$cur"* ]] || COMPREPLY+=("$line")
	done
}

_tapgate_commands() {
	command tapgate help 2>/dev/null | sed -n 's/^  \([a-z][a-z-]*\) .*/\1/p'
}

# A command's options, a line each: "--json", and with a value "--user NAME".
_tapgate_options() { # _tapgate_options COMMAND
	command tapgate help "$1" 2>/dev/null | sed -n '1p; s/^  \(--[a-z-]* *[A-Z]*\).*/\1/p' |
		grep -oE -e '--[a-z]+(-[a-z]+)*( [A-Z]+)?' | sort -u
}

# What a command's other words are: NETWORK, FILE, ...
_tapgate_operands() { # _tapgate_operands COMMAND
	command tapgate help "$1" 2>/dev/null |
		sed -n '1{s/^usage: tapgate [a-z-]*//; s/\[--[^]]*\]//g; s/--[a-z-]* [A-Z]*//g; p;}'
}

_tapgate_networks() {
	command tapgate networks 2>/dev/null
}

# Those that tapgate shows this user (list=own).
_tapgate_taps() {
	command tapgate list 2>/dev/null | sed -n '1d; s/^\([^ ][^ ]*\) .*/\1/p'
}

_tapgate_values() { # _tapgate_values OPTION: of one that has a value
	case $1 in
	--user) _tapgate_offer < <(compgen -u) ;;
	--net) _tapgate_offer < <(_tapgate_networks) ;;
	esac
}

_tapgate_words() { # _tapgate_words COMMAND: no options
	case $1,$(_tapgate_operands "$1") in
	help,*) _tapgate_offer < <(_tapgate_commands) ;;
	*,*TAP*) _tapgate_offer < <({ _tapgate_networks; _tapgate_taps; } | sort -u) ;;
	*,*NETWORK*) _tapgate_offer < <(_tapgate_networks) ;;
	*,*FILE*)
		compopt -o filenames 2>/dev/null # not there when called by hand
		mapfile -t COMPREPLY < <(compgen -f -- "$cur")
		;;
	esac
}

# The command behind `tapgate run` begins at word $1.
_tapgate_run() {
	if ((COMP_CWORD == $1)); then
		mapfile -t COMPREPLY < <(compgen -c -- "$cur")
	elif declare -F _command_offset >/dev/null; then
		_command_offset "$1"
	else
		compopt -o filenames 2>/dev/null
		mapfile -t COMPREPLY < <(compgen -f -- "$cur")
	fi
}

_tapgate() {
	local cur=${COMP_WORDS[COMP_CWORD]} command=${COMP_WORDS[1]} options option value='' only_words='' i
	COMPREPLY=()
	if ((COMP_CWORD == 1)); then
		_tapgate_offer < <(_tapgate_commands; echo --version)
		return
	fi
	options=$'\n'$(_tapgate_options "$command")$'\n'
	# What stands before the word at hand: an option without its value, or `run`'s command?
	for ((i = 2; i < COMP_CWORD; i++)); do
		option=${COMP_WORDS[i]}
		if [[ $option == = ]]; then
			: # of --user=NAME, which bash takes apart
		elif [[ $value ]]; then
			value=
		elif [[ $only_words || $option != -* ]]; then
			[[ $command != run ]] || { _tapgate_run "$i"; return; }
		elif [[ $option == -- ]]; then
			only_words=yes
		elif [[ $options == *$'\n'"$option "* ]]; then
			value=$option
		elif [[ $command != run ]]; then
			options=${options/$'\n'"$option"$'\n'/$'\n'} # once is enough
		fi
	done
	[[ $cur != = ]] || cur=
	if [[ $value ]]; then
		_tapgate_values "$value"
	elif [[ $command == run && ($only_words || $cur != -*) ]]; then
		_tapgate_run "$COMP_CWORD"
	elif [[ ! $only_words && $cur == -* ]]; then
		_tapgate_offer < <(sed '/./!d; s/ .*//' <<<"$options")
	else
		_tapgate_words "$command"
	fi
}

complete -F _tapgate tapgate
