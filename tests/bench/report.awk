# SPDX-License-Identifier: MIT
# The bench's report: from what was measured to a table on standard output, and the same as JSON in the file "json".
#
#	awk -f report.awk -v contenders="qemu ours ..." -v json=FILE FACTS TITLES RESULTS
#
# FACTS:   name, value
# TITLES:  row, unit, measured per unit, row of qemu's helper, goal for ours or -, goal for ours-static or -, title
# RESULTS: row/contender, samples, median, p90, minimum           (all separated by tabs)

function quoted(text) {
	gsub(/["\\]/, "\\\\&", text)
	return "\"" text "\""
}

# A value in the unit of its row: two decimals for few milliseconds, none for many, nor for counts.
function shown(row, value) {
	value /= per[row]
	return sprintf(unit[row] == "ms" && value < 100 ? "%.2f" : "%.0f", value)
}

# Medians: a contender's to that of qemu's helper in the row that is meant for that.
function ratio(row, who) {
	if (!((row, who) in median) || !((base[row], "qemu") in median))
		return "-"
	return sprintf("%.2f", median[row, who] / median[base[row], "qemu"])
}

# "0.79  1.74": the ratio, and what was measured; of qemu's helper only that.
function cell(row, who) {
	if (!((row, who) in median))
		return "-"
	return who == "qemu" ? shown(row, median[row, who]) : sprintf("%-5s %s", ratio(row, who), shown(row, median[row, who]))
}

# The goal of a row, if it has one.
function goal_of(row) {
	if (row == "rules10000" && ((row, "ours") in median))
		return sprintf("at most +0.80 ms over 10 rules: +%.2f", \
			(median[row, "ours"] - median["rules10", "ours"]) / 1000)
	if (row == "service" && ((row, "ours") in median))
		return sprintf("at most 2 times the setuid way: %.2f", median[row, "ours"] / median["systemd", "ours"])
	if (goal[row] == "-")
		return ""
	return "at most " goal[row] (static_goal[row] == "-" ? "" : " (static: " static_goal[row] ")")
}

function table(   i, j) {
	for (i = 1; i <= facts; i++)
		printf "%-12s %s\n", fact[i], value[i]
	printf "%-12s %d idle, %d on a full bridge, %d bursts; medians\n\n", "samples", samples["idle", "ours"], \
		samples["full-ours", "ours"], samples["burst", "ours"]
	printf "%-42s", "launch to descriptor: ratio to qemu, ms"
	for (j = 1; j <= columns; j++)
		printf column[j] == "qemu" ? "%-9s" : "%-13s", column[j]
	print "goal"
	for (i = 1; i <= rows; i++) {
		printf "%-42s", title[row[i]]
		for (j = 1; j <= columns; j++)
			printf column[j] == "qemu" ? "%-9s" : "%-13s", cell(row[i], column[j])
		print goal_of(row[i])
	}
	print "\nbare: only the system calls of qemu\47s helper, in a program that does nothing else"
}

function json_row(r,   j, text, separator) {
	text = "    {\"row\": " quoted(r) ", \"title\": " quoted(title[r]) ", \"unit\": " quoted(unit[r])
	if (goal[r] != "-")
		text = text ", \"goal\": " goal[r]
	for (j = 1; j <= columns; j++) {
		if (!((r, column[j]) in median))
			continue
		text = text ",\n      " quoted(column[j]) ": " sprintf("{\"samples\": %d, \"median\": %.4f, \"p90\": %.4f, " \
			"\"min\": %.4f", samples[r, column[j]], median[r, column[j]] / per[r], \
			p90[r, column[j]] / per[r], least[r, column[j]] / per[r]) \
			(ratio(r, column[j]) == "-" ? "" : ", \"ratio\": " ratio(r, column[j])) "}"
	}
	return text "}"
}

function write_json(   i) {
	print "{" >json
	for (i = 1; i <= facts; i++)
		print "  " quoted(fact[i]) ": " quoted(value[i]) "," >json
	print "  \"rows\": [" >json
	for (i = 1; i <= rows; i++)
		print json_row(row[i]) (i < rows ? "," : "") >json
	print "  ]\n}" >json
}

BEGIN {
	FS = "\t"
	columns = split(contenders, column, " ")
}
FNR == 1 {
	file++
}
file == 1 {
	fact[++facts] = $1
	value[facts] = $2
}
file == 2 {
	known[$1] = 1
	unit[$1] = $2
	per[$1] = $3
	base[$1] = $4
	goal[$1] = $5
	static_goal[$1] = $6
	title[$1] = $7
	order[++titles] = $1
}
file == 3 {
	split($1, part, "/")
	if (!(part[1] in known)) {
		print "bench: no title for " part[1] >"/dev/stderr"
		exit 1
	}
	samples[part[1], part[2]] = $2
	median[part[1], part[2]] = $3
	p90[part[1], part[2]] = $4
	least[part[1], part[2]] = $5
	measured[part[1]] = 1
}
END {
	for (i = 1; i <= titles; i++)
		if (order[i] in measured)
			row[++rows] = order[i]
	table()
	write_json()
}
