# SPDX-License-Identifier: MIT
# shellcheck shell=sh disable=SC2154 # set by who sources it
# Modules for a guest's kernel, to be sourced: out of the tree $work/tree, of the kernel $version, into $work/$place,
# named so that the order of names is the order to load them in. $count is the last one's number, $work/seen has all.

unpack() { # unpack FILE: its content, to standard output
	case $1 in
	*.xz) xz -dc "$1" ;;
	*.zst) zstd -dcq "$1" ;;
	*.gz) gzip -dc "$1" ;;
	*) cat "$1" ;;
	esac
}

find_module() { # find_module NAME: its file; some are named with '-' where the module's name has '_'
	find "$work/tree/" -name "$(echo "$1" | sed 's/_/[-_]/g').ko*" | head -n 1
}

is_built_in() { # is_built_in NAME
	grep -q "/$(echo "$1" | sed 's/_/[-_]/g')\.ko$" "$work/tree/modules.builtin"
}

add_module() { # add_module NAME: after those that it depends on
	file=$(find_module "$1")
	if [ -z "$file" ]; then
		is_built_in "$1" || fail "kernel $version has no module '$1'"
		return
	fi
	[ ! -e "$work/seen/$1" ] || return 0
	unpack "$file" >"$work/seen/$1"
	for needed in $(tr '\0' '\n' <"$work/seen/$1" | sed -n 's/^depends=//p' | tr , ' '); do
		add_module "$needed"
	done
	count=$((count + 1))
	cp "$work/seen/$1" "$work/$place/$count-$1"
}
