# SPDX-License-Identifier: MIT
# Completion of tapgate(8) for fish: commands, options, networks, users, and the command behind `tapgate run`.
#
# What there is to complete is asked of tapgate itself: `tapgate help` lists the commands, and `tapgate help COMMAND`
# the options of one and what its other words are.

# Each with what it is about.
function __tapgate_commands
    command tapgate help 2>/dev/null | string replace -rf '^  ([a-z][a-z-]*) .*  ([^ ].*)$' '$1\t$2'
end

# A command's options, a line each: "--json", and with a value "--user NAME".
function __tapgate_options -a command
    command tapgate help $command 2>/dev/null | sed -n '1p; s/^  \(--[a-z-]* *[A-Z]*\).*/\1/p' |
        string match -ra -- '--[a-z]+(?:-[a-z]+)*(?: [A-Z]+)?' | sort -u
end

# What a command's other words are: NETWORK, FILE, ...
function __tapgate_operands -a command
    command tapgate help $command 2>/dev/null |
        sed -n '1{s/^usage: tapgate [a-z-]*//; s/\[--[^]]*\]//g; s/--[a-z-]* [A-Z]*//g; p;}'
end

function __tapgate_networks
    command tapgate networks 2>/dev/null
end

# Those that tapgate shows this user (list=own).
function __tapgate_taps
    command tapgate list 2>/dev/null | sed -n '1d; s/^\([^ ][^ ]*\) .*/\1/p'
end

# The values of an option that has one; each behind a beginning, as in --user=
function __tapgate_values -a option beginning
    switch $option
        case --user
            printf "$beginning%s\n" (__fish_complete_users | string replace -r '\t.*' '')
        case --net
            printf "$beginning%s\n" (__tapgate_networks)
    end
end

# Words that are no options.
function __tapgate_words -a command
    if test "$command" = help
        __tapgate_commands
        return
    end
    switch (__tapgate_operands $command)
        case '*TAP*'
            __tapgate_networks
            __tapgate_taps
        case '*NETWORK*'
            __tapgate_networks
        case '*FILE*'
            __fish_complete_path (commandline -ct)
    end
end

function __tapgate_complete
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    set -l command $words[2]
    set -l options (__tapgate_options $command)
    set -l value
    set -l only_words
    if test (count $words) -lt 2
        __tapgate_commands
        printf '%s\n' --version
        return
    end
    # What stands before the word at hand: an option without its value, or `run`'s command?
    for i in (seq 3 (count $words))
        test $i -le (count $words); or break
        set -l word $words[$i]
        if set -q value[1]
            set -e value[1]
        else if set -q only_words[1]; or not string match -q -- '-*' $word
            if test "$command" = run
                __fish_complete_subcommand --commandline $words[$i..-1] $current
                return
            end
        else if test "$word" = --
            set only_words yes
        else if string match -q -- "$word *" $options
            set value $word
        else if test "$command" != run
            set options (string match -v -- $word $options)
        end
    end
    if set -q value[1]
        __tapgate_values $value ''
    else if not set -q only_words[1]; and string match -q -- '--*=*' $current
        set -l option (string replace -r '=.*' '' -- $current)
        __tapgate_values $option $option=
    else if test "$command" = run; and begin
            set -q only_words[1]; or not string match -q -- '-*' $current
        end
        __fish_complete_subcommand --commandline $current
    else if not set -q only_words[1]; and string match -q -- '-*' $current
        printf '%s\n' (string replace -r ' .*' '' -- $options)
    else
        __tapgate_words $command
    end
end

complete -c tapgate -f -a '(__tapgate_complete)'
