import type { ControlPlaneContext } from './jobs/control-plane-context.ts';
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';

/** The control plane's Prometheus metrics: counts and times by route and state, never by organisation. */
export class ControlPlaneMetrics {
  readonly registry = new Registry();
  readonly links = new Gauge({
    name: 'ringfence_control_links',
    help: 'Control links that this replica holds',
    registers: [this.registry],
  });
  readonly jobs = new Gauge({
    name: 'ringfence_jobs',
    help: 'Jobs by state',
    labelNames: ['state'],
    registers: [this.registry],
  });
  readonly term = new Gauge({
    name: 'ringfence_placer_term',
    help: 'The term that this replica places in, 0 for none',
    registers: [this.registry],
  });
  readonly auditFailures = new Gauge({
    name: 'ringfence_audit_append_failures',
    help: 'Batches of audit entries that could not be appended since the start, each tried again',
    registers: [this.registry],
  });
  readonly refusals = new Counter({
    name: 'ringfence_api_refused_total',
    help: 'Requests refused, by code',
    labelNames: ['code'],
    registers: [this.registry],
  });
  readonly requests = new Histogram({
    name: 'ringfence_api_request_seconds',
    help: 'Time of API requests',
    labelNames: ['route', 'status'],
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5],
    registers: [this.registry],
  });

  constructor() {
    collectDefaultMetrics({ register: this.registry });
  }

  /** Counts one answer of the API; `code` is a refusal's. */
  answered({ route, status, seconds, code }: Answered): void {
    this.requests.observe({ route, status }, seconds);
    if (code !== undefined) this.refusals.inc({ code });
  }
}

/** One answer of the API. */
export interface Answered {
  readonly route: string;
  readonly status: number;
  readonly seconds: number;
  readonly code: string | undefined;
}

/** All metrics in Prometheus' text format, the gauges freshly read. */
export async function metricsText(
  metrics: ControlPlaneMetrics,
  context: ControlPlaneContext,
  links: number,
): Promise<{ contentType: string; body: string }> {
  metrics.links.set(links);
  metrics.term.set(context.term.current ?? 0);
  metrics.auditFailures.set(context.logs.sequencing.failures);
  const states = await context.store.withSystem('gauges', (tx) =>
    tx
      .selectFrom('job')
      .select((build) => ['state', build.fn.countAll<number>().as('count')])
      .groupBy('state')
      .execute(),
  );
  metrics.jobs.reset();
  for (const { state, count } of states) metrics.jobs.set({ state }, count);
  return { contentType: metrics.registry.contentType, body: await metrics.registry.metrics() };
}
