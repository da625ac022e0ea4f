# SPDX-License-Identifier: MIT
# How scripts of tests wait. To be sourced.
#
#	now				hundredths of a second since the machine began
#	wait_for SECONDS COMMAND...	until the command succeeds; fails when time is over, with what the command says then
#
# SECONDS are those of a machine that has nothing else to do: four times as many pass before time is over, as what is waited
# for may be late on a machine that is busy. Waiting for something that does not come is no way to show that it does not.

now() {
	read -r now_uptime _ </proc/uptime
	echo "${now_uptime%.*}${now_uptime#*.}"
}

wait_for() {
	wait_end=$(($(now) + $1 * 400))
	shift
	until "$@" >/dev/null 2>&1; do
		[ "$(now)" -lt "$wait_end" ] || {
			"$@"
			return
		}
		sleep 0.02
	done
}
