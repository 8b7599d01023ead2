import { collectDefaultMetrics, Counter, Gauge, Registry } from 'prom-client';
import type { RelayCloseReason } from '@ringfence/client/relay-protocol';

/** The relay's Prometheus metrics: counts only, no address of anybody. */
export class RelayMetrics {
  readonly #registry = new Registry();
  readonly #listeners = this.#gauge('ringfence_relay_listeners', 'Parties that listen');
  readonly #calls = this.#gauge('ringfence_relay_waiting_calls', 'Calls that wait to be taken');
  readonly #links = this.#gauge('ringfence_relay_links', 'Joined links');
  readonly #connections = this.#gauge('ringfence_relay_connections', 'Open sockets');
  readonly #bytes: Counter;
  readonly #closed: Counter<'reason'>;

  constructor() {
    const registers = [this.#registry];
    collectDefaultMetrics({ register: this.#registry });
    this.#bytes = new Counter({ name: 'ringfence_relay_forwarded_bytes_total', help: 'Bytes passed on', registers });
    this.#closed = new Counter({
      name: 'ringfence_relay_refused_total',
      help: 'Connections that the relay closed, by reason',
      labelNames: ['reason'],
      registers,
    });
  }

  /** Shows who is on the switchboard. */
  show(counts: { readonly listeners: number; readonly calls: number; readonly links: number }): void {
    this.#listeners.set(counts.listeners);
    this.#calls.set(counts.calls);
    this.#links.set(counts.links);
  }

  /** Shows how many sockets are open. */
  connected(count: number): void {
    this.#connections.set(count);
  }

  /** Counts bytes that were passed on. */
  forwarded(bytes: number): void {
    this.#bytes.inc(bytes);
  }

  /** Counts a connection that the relay closed. */
  refused(reason: RelayCloseReason): void {
    this.#closed.inc({ reason });
  }

  /** The metrics in Prometheus' text format, and its content type. */
  async text(): Promise<{ contentType: string; body: string }> {
    return { contentType: this.#registry.contentType, body: await this.#registry.metrics() };
  }

  #gauge(name: string, help: string): Gauge {
    return new Gauge({ name, help, registers: [this.#registry] });
  }
}
