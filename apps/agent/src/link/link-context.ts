import type { Clock, Log, Rng } from '@ringfence/base';
import type { Fact, JournalPoint, LinkJournal } from '@ringfence/client/control-link';
import type { CustodianClient } from '@ringfence/client/custodian';
import type { Fault } from '../fault-points.ts';
import type { Federations } from '../federation/federations.ts';
import type { AgentIdentity } from '../identity/agent-identity.ts';
import type { Machine } from '../machine/machine.ts';
import type { AgentMetrics } from '../metrics.ts';
import type { Replicas } from '../serving/replicas.ts';
import type { FollowedLocks } from './followed-locks.ts';
import type { JoinedLink } from './joined-link.ts';
import type { KeyringCopy } from './keyring-copy.ts';

/** What every step of an attempt has at hand: one link, and the machine that all links share. */
export interface LinkContext {
  readonly link: JoinedLink;
  readonly identity: AgentIdentity;
  readonly keyring: KeyringCopy;
  readonly custodian: CustodianClient;
  /** Whom the custodian has cut off. */
  readonly locks: Pick<FollowedLocks, 'cuts' | 'suspended'>;
  readonly journal: LinkJournal;
  /** Appends a fact with its messages; resolves once it is on disk. */
  readonly record: (fact: Fact) => Promise<void>;
  /** How far the custodian knows the journal. */
  custodianPoint: JournalPoint | undefined;
  /** Runs requests that show the journal one after the other: to the custodian an older point after a newer one is a copied machine. */
  readonly oneGrantAtATime: <T>(run: () => Promise<T>) => Promise<T>;
  /** `serve` attempts that run here. */
  readonly replicas: Replicas;
  /** Federations that this agent takes part in. */
  readonly federations: Federations;
  readonly machine: Machine;
  readonly metrics: AgentMetrics;
  readonly clock: Clock;
  readonly rng: Rng;
  readonly log: Log;
  readonly fault: Fault;
}
