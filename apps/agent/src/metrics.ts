import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { Outcome } from '@ringfence/protocol/statements';

/** The agent's Prometheus metrics: counts and times of this machine, never of a named job. */
export class AgentMetrics {
  readonly #registry = new Registry();
  readonly #links = new Gauge({
    name: 'ringfence_agent_links_up',
    help: 'Control links that are up',
    registers: [this.#registry],
  });
  readonly #attempts = new Gauge({
    name: 'ringfence_agent_attempts',
    help: 'Attempts that are not over',
    registers: [this.#registry],
  });
  readonly #ended = new Counter({
    name: 'ringfence_agent_attempts_ended_total',
    help: 'Attempts that ended, by outcome',
    labelNames: ['outcome'],
    registers: [this.#registry],
  });
  readonly #refused = new Counter({
    name: 'ringfence_agent_leases_refused_total',
    help: 'Leases that were refused, by reason',
    labelNames: ['reason'],
    registers: [this.#registry],
  });
  readonly #start = new Histogram({
    name: 'ringfence_agent_start_seconds',
    help: 'From the lease to the start of the program of a job',
    buckets: [0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60],
    registers: [this.#registry],
  });

  readonly #logsDropped = new Counter({
    name: 'ringfence_agent_log_dropped_bytes_total',
    help: 'Bytes of logs and metrics of ended attempts that made room for newer ones',
    registers: [this.#registry],
  });

  readonly #logsAccused = new Gauge({
    name: 'ringfence_agent_audit_logs_accused',
    help: 'Audit logs that this agent found changed, forked, rolled back or incomplete',
    registers: [this.#registry],
  });

  constructor() {
    collectDefaultMetrics({ register: this.#registry });
  }

  /** One more log was found wrong. */
  logAccused(): void {
    this.#logsAccused.inc();
  }

  /** Shows how many links are up. */
  links(count: number): void {
    this.#links.set(count);
  }

  /** Shows how many attempts are not over. */
  attempts(count: number): void {
    this.#attempts.set(count);
  }

  /** Counts an attempt that ended. */
  ended(outcome: Outcome): void {
    this.#ended.inc({ outcome });
  }

  /** Counts a lease that was refused. */
  refused(reason: string): void {
    this.#refused.inc({ reason });
  }

  /** Counts a log that made room. */
  logDropped(bytes: number): void {
    this.#logsDropped.inc(bytes);
  }

  /** Counts the time from a lease to its program, in milliseconds. */
  started(milliseconds: number): void {
    this.#start.observe(milliseconds / 1000);
  }

  /** The metrics in Prometheus' text format, and its content type. */
  async text(): Promise<{ contentType: string; body: string }> {
    return { contentType: this.#registry.contentType, body: await this.#registry.metrics() };
  }
}
