# SPDX-License-Identifier: MIT
# The report of tests/bench/packets and tests/bench/vhost: tables on standard output, and the same as JSON in "json".
#
#	awk -f packets.awk -v json=FILE FACTS RESULTS
#
# FACTS:   name, value
# RESULTS: table, row, kind, value                (all separated by tabs)
#
# Of each kind the best counts, the least time or the most throughput. Rows are compared with the first of their table.

function quoted(text) {
	gsub(/["\\]/, "\\\\&", text)
	return "\"" text "\""
}

function better(kind, value, other) {
	return kind == "ping" || kind == "ask" ? value < other : value > other
}

function cell(table, row, kind,   value) {
	if (!((table, row, kind) in best))
		return "-"
	value = best[table, row, kind]
	if (kind == "small")
		value = sprintf("%.1f", value / 1000)
	else
		value = sprintf(value < 100 ? "%.1f" : "%.0f", value)
	if (row == first[table] || !((table, first[table], kind) in best))
		return sprintf("%5s %s", "", value)
	return sprintf("%5.2f %s", best[table, row, kind] / best[table, first[table], kind], value)
}

function print_table(table,   i, k) {
	printf "\n%-36s", title[table]
	for (k = 1; k <= kinds; k++)
		printf "%-16s", heading[kind[k]]
	print ""
	for (i = 1; i <= rows[table]; i++) {
		printf "%-36s", "  " row[table, i]
		for (k = 1; k <= kinds; k++)
			printf "%-16s", cell(table, row[table, i], kind[k])
		print ""
	}
}

function print_facts(   i) {
	for (i = 1; i <= facts; i++)
		printf "%-12s %s\n", fact[i], value_of[i]
	print "\nThe best of all rounds, and before it its ratio to the first row of the table: of times (ping, ask) less is"
	print "better, of throughput (send, fetch, small) more."
}

function json_row(table, r,   k, text) {
	text = "    {\"table\": " quoted(table) ", \"row\": " quoted(r)
	for (k = 1; k <= kinds; k++)
		if ((table, r, kind[k]) in best)
			text = text ", " quoted(kind[k]) ": " sprintf("%.3f", best[table, r, kind[k]])
	return text "}"
}

function write_json(   i, t, last) {
	print "{" >json
	for (i = 1; i <= facts; i++)
		print "  " quoted(fact[i]) ": " quoted(value_of[i]) "," >json
	printf "  \"rows\": [" >json
	for (t = 1; t <= tables; t++)
		for (i = 1; i <= rows[table_at[t]]; i++) {
			printf "%s\n%s", last, json_row(table_at[t], row[table_at[t], i]) >json
			last = ","
		}
	print "\n  ]\n}" >json
}

BEGIN {
	FS = "\t"
	kinds = split("ping ask send fetch small", kind, " ")
	heading["ping"] = "ping, us"
	heading["ask"] = "TCP 1 byte, us"
	heading["send"] = "TCP out, Mbit/s"
	heading["fetch"] = "TCP in, Mbit/s"
	heading["small"] = "64 bytes, k/s"
	tables = split("host internet guest guard-host guard-tap guard-far guard-guest vhost", table_at, " ")
	title["host"] = "guest and host"
	title["internet"] = "guest and the Internet"
	title["guest"] = "guest and guest"
	title["guard-host"] = "no QEMU: guest and host"
	title["guard-tap"] = "no QEMU, no bridge: guest and host"
	title["guard-far"] = "no QEMU: guest and the Internet"
	title["guard-guest"] = "no QEMU: guest and guest"
	title["vhost"] = "a guest's guest and its host"
}
FNR == 1 {
	file++
}
file == 1 {
	fact[++facts] = $1
	value_of[facts] = $2
	next
}
{
	if (!(($1, $2) in seen)) {
		seen[$1, $2] = 1
		row[$1, ++rows[$1]] = $2
		if (rows[$1] == 1)
			first[$1] = $2
	}
	if (!(($1, $2, $3) in best) || better($3, $4, best[$1, $2, $3]))
		best[$1, $2, $3] = $4
}
END {
	print_facts()
	for (t = 1; t <= tables; t++)
		if (rows[table_at[t]])
			print_table(table_at[t])
	write_json()
}
