# The bench's report: from what was measured to a table on standard output, and the same as JSON in the file "json".
#
#	awk -f report.awk -v contenders="qemu ours ..." -v json=FILE FACTS TITLES RESULTS
#
# FACTS:   name, value                              TITLES: row, unit, measured per unit, goal or -, title
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

function cell(row, who) {
	if (!((row, who) in median))
		return "-"
	if (samples[row, who] == 1)
		return shown(row, median[row, who])
	return shown(row, median[row, who]) " (" shown(row, p90[row, who]) ")"
}

# Medians: a contender's to that of qemu's helper.
function ratio(row, who) {
	if (!((row, who) in median) || !((row, "qemu") in median))
		return "-"
	return sprintf("%.2f", median[row, who] / median[row, "qemu"])
}

# The goal of a row beside what was reached, if the row has one.
function goal_of(row) {
	if (row == "rules10000" && ((row, "ours") in median))
		return sprintf("+%.2f ms over 10 rules; goal: at most +1.00", \
			(median[row, "ours"] - median["rules10", "ours"]) / 1000)
	return goal[row] == "-" ? "" : "at most " goal[row]
}

function table(   i, j) {
	for (i = 1; i <= facts; i++)
		printf "%-12s %s\n", fact[i], value[i]
	printf "%-12s %d idle, %d on a full bridge, %d bursts; each: median (p90)\n\n", "samples", \
		samples["idle", "ours"], samples["full-ours", "ours"], samples["burst", "ours"]
	printf "%-42s", "launch to descriptor, ms"
	for (j = 1; j <= columns; j++)
		printf "%-16s", column[j]
	print "ours/qemu  floor  goal"
	for (i = 1; i <= rows; i++) {
		printf "%-42s", title[row[i]]
		for (j = 1; j <= columns; j++)
			printf "%-16s", cell(row[i], column[j])
		printf "%-11s%-7s%s\n", ratio(row[i], "ours"), ratio(row[i], column[columns]), goal_of(row[i])
	}
	print "\nfloor: what is left of qemu\47s helper when only its system calls are made, by " column[columns]
}

function json_row(r,   j, text, separator) {
	text = "    {\"row\": " quoted(r) ", \"title\": " quoted(title[r]) ", \"unit\": " quoted(unit[r])
	if (ratio(r, "ours") != "-")
		text = text ", \"ours/qemu\": " ratio(r, "ours")
	if (ratio(r, column[columns]) != "-")
		text = text ", \"floor\": " ratio(r, column[columns])
	if (goal[r] != "-")
		text = text ", \"goal\": " goal[r]
	for (j = 1; j <= columns; j++) {
		if (!((r, column[j]) in median))
			continue
		text = text ",\n      " quoted(column[j]) ": " sprintf("{\"samples\": %d, \"median\": %.4f, \"p90\": %.4f, " \
			"\"min\": %.4f}", samples[r, column[j]], median[r, column[j]] / per[r], \
			p90[r, column[j]] / per[r], least[r, column[j]] / per[r])
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
	goal[$1] = $4
	title[$1] = $5
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
