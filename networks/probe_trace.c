// SPDX-License-Identifier: MIT
/* What becomes of a packet of a probe's, as the kernel tells of it. */
#include "networks/probe.h"

#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

enum { PATIENCE = 30 /* ms: an injected packet waits for its turn */ };

static bool has_tag(const struct probe *probe, const struct trace *trace)
{
	const unsigned char *header = trace->header;

	if (probe->need->family == NFPROTO_ARP) /* a question, or the answer */
		return trace->header_size >= 28 && (memcmp(header + 8, probe->tap.mac, ETH_ALEN) == 0 ||
							   memcmp(header + 18, probe->tap.mac, ETH_ALEN) == 0);
	if (trace->header_size >= 20 && header[0] >> 4 == 4)
		return (header[4] << 8 | header[5]) == probe->tag;
	return trace->header_size >= 40 && header[0] >> 4 == 6 &&
	       ((header[1] & 0xf) << 16 | header[2] << 8 | header[3]) == probe->tag;
}

/* Of one packet come several numbers, one for each interface that it is on. */
static bool is_ours(struct probe *probe, const struct trace *trace)
{
	for (size_t i = 0; i < probe->id_count; i++) {
		if (probe->ids[i] == trace->id)
			return true;
	}
	if (!trace->header || !has_tag(probe, trace))
		return false;
	if (probe->id_count < PROBE_IDS)
		probe->ids[probe->id_count++] = trace->id;
	return true;
}

static const struct firewall_chain *base_of(const struct probe *probe, const struct trace *trace)
{
	for (size_t i = 0; i < probe->firewall->chain_count; i++) {
		const struct firewall_chain *chain = &probe->firewall->chains[i];

		if (chain->family == trace->family && strcmp(chain->table, trace->table) == 0 &&
			strcmp(chain->name, trace->chain) == 0)
			return chain;
	}
	return NULL;
}

/* Our own chains. */
static void see_mark(struct probe *probe, const struct trace *trace)
{
	static const struct {
		const char *chain;
		uint32_t hook;
	} ends[] = {{"end/input", NF_INET_LOCAL_IN}, {"end/postrouting", NF_INET_LOCAL_OUT},
		{"end/forward", NF_INET_FORWARD}, {"end/postrouting", NF_INET_FORWARD}, {"end/egress", NF_INET_FORWARD},
		{"end/output", NF_INET_LOCAL_OUT}};
	static const char *const begins[] = {[NF_INET_PRE_ROUTING] = "begin/prerouting",
		[NF_INET_LOCAL_IN] = "begin/input",
		[NF_INET_FORWARD] = "begin/forward",
		[NF_INET_LOCAL_OUT] = "begin/output"};
	const bool untracked = strcmp(trace->chain, "end/untracked") == 0;

	for (size_t i = 0; i < sizeof(begins) / sizeof(*begins); i++)
		probe->passed[i] |= strcmp(trace->chain, begins[i]) == 0;
	if (probe->met.rule && (untracked || (probe->injected && probe->passed[NF_INET_LOCAL_IN]))) {
		probe->fate = probe->met;
		probe->fate.stray = true;
	}
	/* The question itself goes on: the host's answer to it is the next thing that is looked at. */
	probe->fate.arrived |=
		probe->need->family == NFPROTO_ARP && probe->need->in && probe->passed[NF_INET_LOCAL_OUT];
	for (size_t i = 0; i < sizeof(ends) / sizeof(*ends); i++)
		probe->fate.arrived |=
			trace->drops && ends[i].hook == probe->need->hook && strcmp(trace->chain, ends[i].chain) == 0;
}

static void note_place(struct fate *fate, const struct trace *trace, const struct firewall_chain *base)
{
	fate->known = true;
	fate->ours = strncmp(trace->table, "tapgate-", strlen("tapgate-")) == 0;
	fate->family = trace->family;
	fate->rule = trace->rule;
	fate->base = base;
	snprintf(fate->table, sizeof(fate->table), "%s", trace->table);
	snprintf(fate->chain, sizeof(fate->chain), "%s", trace->chain);
}

static void see(void *context, const struct trace *trace)
{
	struct probe *probe = context;
	const struct firewall_chain *base = base_of(probe, trace);
	const uint32_t hook = probe->need->hook;

	if (!is_ours(probe, trace) || probe->fate.stray)
		return;
	if (strcmp(trace->table, probe->table) == 0) {
		see_mark(probe, trace);
		return;
	}
	if (!trace->drops && trace->rule && !probe->met.known && hook == NF_INET_FORWARD &&
		!probe->passed[NF_INET_FORWARD] && strncmp(trace->table, "tapgate-", strlen("tapgate-")) != 0)
		note_place(&probe->met, trace, NULL);
	probe->base = base ? base : probe->base;
	/* A frame for all goes to neighbours as well as to the host. */
	if (!trace->drops || (base && base->hook == NF_INET_FORWARD && hook != NF_INET_FORWARD))
		return;
	if (probe->base && (probe->base->family != trace->family || strcmp(probe->base->table, trace->table) != 0))
		probe->base = NULL;
	note_place(&probe->fate, trace, probe->base);
}

bool probe_has_legacy(int family)
{
	FILE *file = fopen(family == AF_INET ? "/proc/net/ip_tables_names" : "/proc/net/ip6_tables_names", "re");
	bool any = file && fgetc(file) != EOF;

	if (file)
		fclose(file);
	return any;
}

static void forget(void *context, const struct trace *trace)
{
	(void)context;
	(void)trace;
}

void probe_trace_begin(struct probe *probe, const struct need *need, bool injected)
{
	trace_each(probe->trace, forget, NULL);
	probe->need = need;
	probe->injected = injected;
	probe->id_count = 0;
	probe->base = NULL;
	probe->fate = probe->met = (struct fate){.arrived = false};
	memset(probe->passed, 0, sizeof(probe->passed));
}

/* The kernel is done with a packet when the call that sent it returns, but with an injected one. */
static int read_traces(struct probe *probe)
{
	const int64_t deadline = clock_milliseconds() + PATIENCE;
	struct pollfd traces = {.fd = probe->trace, .events = POLLIN};
	int result = trace_each(probe->trace, see, probe);

	while (result >= 0 && probe->injected && !probe->fate.arrived && !probe->fate.known &&
		poll(&traces, 1, (int)(deadline - clock_milliseconds())) > 0)
		result = trace_each(probe->trace, see, probe);
	return result;
}

struct fate probe_trace_end(struct probe *probe, int family, bool sent)
{
	if (!sent || read_traces(probe) < 0)
		probe->fate.arrived = true;
	/* The host gave no answer, as the question did not get there: which another need tells of. */
	probe->fate.arrived |=
		probe->need->family == NFPROTO_ARP && !probe->need->in && !probe->passed[NF_INET_LOCAL_OUT];
	if (probe->fate.arrived || probe->fate.known)
		return probe->fate;
	probe->fate.legacy =
		probe->need->family != NFPROTO_ARP && probe->passed[probe->need->hook] && probe_has_legacy(family);
	probe->fate.lost = probe->passed[NF_INET_PRE_ROUTING] && !probe->passed[NF_INET_LOCAL_IN] &&
			   !probe->passed[NF_INET_FORWARD];
	return probe->fate;
}
