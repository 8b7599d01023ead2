import type { EgressUse } from '@ringfence/protocol/payload';
import type { EgressWish, HostClass } from './egress-target.ts';

/** Why a job's connection was not made. */
export type EgressRefusal = EgressUse['refused'][number]['reason'];

const MOST_TOLD = 20;

/** Counts the connections of one attempt for its owner, by kind of host and reason; tells each refused place once, in the job's own log. */
export class EgressCount {
  readonly #tell: (line: string) => void;
  readonly #refused = new Map<string, EgressUse['refused'][number]>();
  readonly #told = new Set<string>();
  #opened = 0;

  constructor(tell: (line: string) => void) {
    this.#tell = tell;
  }

  opened(): void {
    this.#opened += 1;
  }

  refused(reason: EgressRefusal, wish: EgressWish | undefined): void {
    const host: HostClass = wish?.hostClass ?? 'none';
    const before = this.#refused.get(`${host} ${reason}`);
    this.#refused.set(`${host} ${reason}`, { host, reason, count: (before?.count ?? 0) + 1 });
    const place = `${wish?.key ?? 'a place that cannot be read'}: ${REASONS[reason]}`;
    if (this.#told.has(place) || this.#told.size >= MOST_TOLD) return;
    this.#told.add(place);
    this.#tell(`ringfence: no connection to ${place}\n`);
  }

  /** What happened so far; undefined while nothing did. */
  get use(): EgressUse | undefined {
    if (this.#opened === 0 && this.#refused.size === 0) return undefined;
    return { opened: this.#opened, refused: [...this.#refused.values()] };
  }
}

const REASONS: Readonly<Record<EgressRefusal, string>> = {
  'not-listed': 'it is not in the list of what may be reached',
  'local-address': "it is the server's own machine or link, which its operator did not allow",
  'not-resolved': 'the name has no address',
  unreachable: 'it does not answer',
  'upstream-refused': "the site's proxy refused it",
  'too-many': 'too many connections at once',
  'bad-request': 'the proxy takes CONNECT and http:// only',
};
