# SPDX-License-Identifier: MIT
#
# Makes the seccomp filters of helper/filters.def, as the preprocessor leaves it: C tables of BPF instructions (seccomp(2)),
# in which sandbox.c's LOW() and the names of numbers remain.
#
# A filter looks at the architecture, finds the call by halving the list of numbers, and then at its arguments, one after
# the other. All jumps go forward; a condition's reaches 255 instructions, which is seen to.

# "work; 16; 1 is FD_TAP; why" -> rows; a line whose number is still a name is another architecture's.
split($0, field, "; *") > 2 && field[1] ~ /^(work|writing|sending|sign)$/ && field[2] ~ /^[0-9a-fx()+ ]+$/ {
	row++
	stage[row] = field[1]
	number[row] = value(field[2])
	conditions[row] = split($0, field, "; *") - 3
	for (i = 1; i <= conditions[row]; i++)
		condition[row, i] = field[2 + i]
}

END {
	if (row < 50)
		fail("no system calls; is this what the preprocessor made of helper/filters.def?")
	make("work", "work sending", "SECCOMP_RET_ALLOW", "SECCOMP_RET_KILL_PROCESS", "SIGN_OF_WORK")
	make("reading", "writing", "SECCOMP_RET_KILL_PROCESS", "SECCOMP_RET_ALLOW", "SIGN_OF_READING")
	make("sending", "sending", "SECCOMP_RET_ALLOW", "SECCOMP_RET_KILL_PROCESS", "SIGN_OF_SENDING")
}

function fail(why) {
	print "filters.awk: " why >"/dev/stderr"
	exit 1
}

# "(0x900000+3)", as ARM has them -> a number.
function value(text,    parts, n, i, sum) {
	gsub(/[() ]/, "", text)
	n = split(text, parts, "+")
	for (i = 1; i <= n; i++)
		sum += parts[i] ~ /^0x/ ? hex(substr(parts[i], 3)) : parts[i]
	return sum
}

function hex(text,    i, sum) {
	for (i = 1; i <= length(text); i++)
		sum = sum * 16 + index("0123456789abcdef", tolower(substr(text, i, 1))) - 1
	return sum
}

# --- code: instructions, and labels that stand for the place of one ------------------------------------------------

function emit(code, operand, yes, no) {
	op[size] = code
	k[size] = operand
	jt[size] = yes
	jf[size] = no
	size++
}

function put(label) {
	place[label] = size
}

function jump(label, from,    distance) {
	if (label == "")
		return 0
	distance = place[label] - from - 1
	if (distance < 0 || (distance > 255 && far))
		fail("a jump of " distance " instructions; the list has grown too long")
	too_far += distance > 255
	return distance
}

function jumps_are_short(    i) {
	too_far = 0
	for (i = 0; i < size; i++) {
		jump(jt[i], i)
		jump(jf[i], i)
	}
	return !too_far
}

function print_filter(name,    i) {
	printf "static const struct sock_filter %s_filter[] = {\n", name
	for (i = 0; i < size; i++)
		printf "\t{%s, %d, %d, %s},\n", op[i], jump(jt[i], i), jump(jf[i], i),
			k[i] ~ /^@/ ? place[substr(k[i], 2)] - i - 1 : k[i]
	print "};"
}

# --- a filter ------------------------------------------------------------------------------------------------------

# Of the rows of some stages: one action for what is in them, another for all else.
function make(name, stages, match_action, otherwise, sign) {
	for (far = 0; far < 2; far++) {
		write(collect(stages), match_action, otherwise, sign)
		if (jumps_are_short())
			break
	}
	print_filter(name)
}

function write(calls, match_action, otherwise, sign,    i) {
	size = labels = 0
	emit("BPF_LD | BPF_W | BPF_ABS", "offsetof(struct seccomp_data, arch)")
	emit("BPF_JMP | BPF_JEQ | BPF_K", "FILTER_ARCH", "", "foreign")
	emit("BPF_LD | BPF_W | BPF_ABS", "offsetof(struct seccomp_data, nr)")
	find(1, calls)
	# Twice, as a jump does not reach from the tree behind the conditions.
	put("foreign")
	emit("BPF_RET | BPF_K", "SECCOMP_RET_KILL_PROCESS")
	put("no")
	emit("BPF_RET | BPF_K", otherwise)
	put("yes")
	emit("BPF_RET | BPF_K", match_action)
	for (i = 1; i <= calls; i++) {
		if (rows_of[call[i]] == "")
			continue
		put("call " call[i])
		look(rows_of[call[i]], 1, "far no")
	}
	put("far no")
	emit("BPF_RET | BPF_K", otherwise)
	put("far yes")
	emit("BPF_RET | BPF_K", match_action)
	put("far sign")
	emit("BPF_RET | BPF_K", "SECCOMP_RET_ERRNO | " sign)
}

# The numbers of some stages, sorted: call[1], ... and for each its rows; "": it needs no look at its arguments.
function collect(stages,    i, j, n, seen, free) {
	split("", rows_of)
	for (i = 1; i <= row; i++) {
		if (stage[i] != "sign" && index(" " stages " ", " " stage[i] " ") == 0)
			continue
		if (!(number[i] in seen)) {
			for (j = ++n; j > 1 && call[j - 1] > number[i]; j--)
				call[j] = call[j - 1]
			call[j] = number[i]
		}
		seen[number[i]] = 1
		if (conditions[i] == 0)
			free[number[i]] = 1
		rows_of[number[i]] = rows_of[number[i]] " " i
	}
	for (i in free)
		rows_of[i] = ""
	return n
}

# Find the number among call[first] to call[last], with what is before and behind them known to be none of these.
function find(first, last,    middle, label) {
	if (first == last) {
		if (rows_of[call[first]] == "") {
			emit("BPF_JMP | BPF_JEQ | BPF_K", call[first], "yes", "no")
		} else if (far) { # a jump without a condition reaches any place
			emit("BPF_JMP | BPF_JEQ | BPF_K", call[first], "", "no")
			emit("BPF_JMP | BPF_JA", "@call " call[first])
		} else {
			emit("BPF_JMP | BPF_JEQ | BPF_K", call[first], "call " call[first], "no")
		}
		return
	}
	middle = int((first + last + 1) / 2)
	label = "upper " ++labels
	emit("BPF_JMP | BPF_JGE | BPF_K", call[middle], label, "")
	find(first, middle - 1)
	put(label)
	find(middle, last)
}

# Look at the arguments: of rows, behind the conditions that they share before this one. Goes to `none` if no row holds.
function look(rows, depth, none,    list, n, i, j, what, value_of, label, next_label, groups, kinds, kind, values, at) {
	n = split(rows, list, " ")
	for (i = 1; i <= n; i++) {
		split(condition[list[i], depth], part, " is ")
		what = part[1]
		if (!(what in kind)) {
			kind[what] = ++kinds
			at[kinds] = what
		}
		if (!((what, part[2]) in groups)) {
			values[what]++
			value_of[what, values[what]] = part[2]
		}
		groups[what, part[2]] = groups[what, part[2]] " " list[i]
	}
	for (i = 1; i <= kinds; i++) {
		what = at[i]
		next_label = i < kinds ? "look " ++labels : none
		load(what)
		for (j = 1; j <= values[what]; j++) {
			label[j] = is_last(groups[what, value_of[what, j]], depth)
			if (label[j] == "")
				label[j] = "value " ++labels
			emit("BPF_JMP | BPF_JEQ | BPF_K", "(uint32_t)(" value_of[what, j] ")", label[j],
				j < values[what] ? "" : next_label)
		}
		for (j = 1; j <= values[what]; j++) {
			if (label[j] !~ /^value /)
				continue
			put(label[j])
			look(groups[what, value_of[what, j]], depth + 1, next_label)
		}
		if (i < kinds)
			put(next_label)
	}
}

# Where to go if one of the rows has no further condition; else "".
function is_last(rows, depth,    list, n, i) {
	n = split(rows, list, " ")
	for (i = 1; i <= n; i++)
		if (conditions[list[i]] == depth)
			return stage[list[i]] == "sign" ? "far sign" : "far yes"
	return ""
}

# "2 & MASK" -> that part of the second argument.
function load(what,    part) {
	split(what, part, " & ")
	emit("BPF_LD | BPF_W | BPF_ABS", "LOW(" part[1] ")")
	if (part[2] != "")
		emit("BPF_ALU | BPF_AND | BPF_K", "(uint32_t)(" part[2] ")")
}
