// SPDX-License-Identifier: MIT
/*
 * `rate=` and `rate-in=`: how fast a guest sends, and is sent to. The kernel keeps both on the tap itself, whatever the
 * number of its queues, and ends them with it.
 */
#include "helper/helper.h"

#include <errno.h>

#include "link/link.h"

static const struct way {
	enum policy_option option;
	enum tc_side side;
	const char *config, *modules; /* what it takes of the kernel */
} ways[] = {
	{OPTION_RATE, TC_IN, "CONFIG_NET_SCH_INGRESS, CONFIG_NET_CLS_BPF and CONFIG_NET_ACT_POLICE",
		"sch_ingress cls_bpf act_police"},
	{OPTION_RATE_IN, TC_OUT, "CONFIG_NET_SCH_TBF", "sch_tbf"},
};

static uint32_t kbit_of(const struct permit *permit, const struct way *way)
{
	return way->option == OPTION_RATE ? permit->options.rate : permit->options.rate_in;
}

static bool set(const struct permit *permit, const struct network *network, const struct port *port,
	const struct way *way, struct outcome *outcome)
{
	const char *word = policy_option_row(way->option)->word;
	/* There is room for filters already (apart.c). */
	int error = rate_set(network->link, port->tap, way->side, kbit_of(permit, way));

	if (error == -ENOENT || error == -EOPNOTSUPP)
		return refuse(outcome, EXIT_POLICY,
			"this kernel cannot keep '%s' of %s; an administrator can remove it, or take a kernel that has %s, or run: modprobe -a %s",
			word, permit_place(permit, way->option), way->config, way->modules);
	return !error || refuse_errno(outcome, error, "cannot set '%s' of the tap '%s'", word, port->name);
}

bool rate_keep(
	const struct permit *permit, const struct network *network, const struct port *port, struct outcome *outcome)
{
	bool kept = true;

	for (size_t i = 0; i < sizeof(ways) / sizeof(*ways) && kept; i++)
		kept = !(permit->options.given & ways[i].option) || set(permit, network, port, &ways[i], outcome);
	return kept;
}

bool rate_holds(
	const struct permit *permit, const struct network *network, const struct port *port, struct outcome *outcome)
{
	for (size_t i = 0; i < sizeof(ways) / sizeof(*ways); i++) {
		const struct way *way = &ways[i];
		const char *word = policy_option_row(way->option)->word;
		int error;

		if (!(permit->options.given & way->option))
			continue;
		error = rate_is(network->link, port->tap, way->side, kbit_of(permit, way));
		if (error == -ENOENT)
			return refuse(outcome, EXIT_SYSTEM,
				"'%s' of the tap '%s' was switched off meanwhile; try again", word, port->name);
		if (error)
			return refuse_errno(outcome, error, "cannot read back '%s' of the tap '%s'", word, port->name);
	}
	return true;
}
