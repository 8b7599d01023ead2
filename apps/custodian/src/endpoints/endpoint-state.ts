import type { AgentId, DeviceId, EndpointId, JobId } from '@ringfence/base';
import type { Sensitivity } from '@ringfence/protocol';
import type { REPLICA_STATES, ServiceSpec, TokenLimits } from '@ringfence/protocol/payload';
import type { Digest } from '@ringfence/crypto/sign';

/** One replica's job as the rows have it. */
export interface Slot {
  readonly job: JobId;
  readonly slot: number;
  readonly wanted: boolean;
  readonly told: 'wanted' | 'parked' | 'final' | null;
  /** The attempt that was granted last; 0 before the first. */
  readonly attempt: number;
  readonly agent: AgentId | null;
  /** The granted attempt may run: nobody signed that it stopped. */
  readonly running: boolean;
  /** What the agent of the granted attempt said of it. */
  readonly said: 'ready' | 'draining' | 'gone' | null;
  /** The control plane told that the job is over. */
  readonly closed: boolean;
}

/** One launch of an endpoint. */
export interface Revision {
  readonly revision: number;
  readonly state: 'coming' | 'current' | 'going' | 'gone';
  readonly service: ServiceSpec;
  readonly sensitivity: Sensitivity;
  readonly madeAt: number;
  readonly slots: readonly Slot[];
}

/** What a caller may do. */
export interface Token {
  readonly digest: Digest;
  readonly name: string;
  readonly expires: number;
  readonly limits: TokenLimits;
  readonly mintedBy: DeviceId | null;
}

/** An endpoint with the revisions that are not over, the oldest first. */
export interface Endpoint {
  readonly endpoint: EndpointId;
  readonly name: string;
  readonly manual: number | null;
  readonly removed: boolean;
  readonly revisions: readonly Revision[];
  readonly tokens: readonly Token[];
}

/** Whether a replica takes requests. */
export function isReady({ running, said, closed }: Slot): boolean {
  return running && said === 'ready' && !closed;
}

/** A slot as people see it. */
export function stateOf(slot: Slot): (typeof REPLICA_STATES)[number] {
  const { wanted, running, said, closed, told } = slot;
  if (closed || (told === 'final' && !running)) return 'gone';
  if (running && said === 'draining') return 'draining';
  if (isReady(slot)) return wanted ? 'ready' : 'draining';
  return wanted ? 'wanted' : 'parked';
}

/** The revision in a state; there is at most one `coming` and one `current`. */
export function revisionIn(endpoint: Endpoint, state: Revision['state']): Revision | undefined {
  return endpoint.revisions.find((revision) => revision.state === state);
}
