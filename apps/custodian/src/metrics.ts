import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';

/** The custodian's Prometheus metrics: counts and times by route and reason, never by name. */
export class CustodianMetrics {
  readonly registry = new Registry();
  readonly controlLink = new Gauge({
    name: 'ringfence_custodian_control_link_up',
    help: 'Whether the control link is up',
    registers: [this.registry],
  });
  readonly headAge = new Gauge({
    name: 'ringfence_custodian_keyring_head_age_seconds',
    help: 'Age of the signed keyring head',
    registers: [this.registry],
  });
  readonly auditFailures = new Gauge({
    name: 'ringfence_audit_append_failures',
    help: 'Batches of audit entries that could not be appended since the start, each tried again',
    registers: [this.registry],
  });
  readonly logsAccused = new Gauge({
    name: 'ringfence_audit_logs_accused',
    help: 'How often this custodian or an agent found an audit log changed, forked, rolled back or incomplete',
    registers: [this.registry],
  });
  readonly outbox = new Gauge({
    name: 'ringfence_custodian_outbox_messages',
    help: 'Messages that wait to be handed to the control link',
    registers: [this.registry],
  });
  readonly grants = new Counter({
    name: 'ringfence_custodian_grants_total',
    help: 'Answers to grant requests by result',
    labelNames: ['result'],
    registers: [this.registry],
  });
  readonly requests = new Histogram({
    name: 'ringfence_custodian_request_seconds',
    help: 'Time of payload requests',
    labelNames: ['route', 'status'],
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5],
    registers: [this.registry],
  });

  constructor() {
    collectDefaultMetrics({ register: this.registry });
  }
}
