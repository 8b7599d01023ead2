import type { Clock, Log, OrgId } from '@ringfence/base';
import { deriveNoteKey } from '@ringfence/crypto/note';
import { LogSequencer, Sequencing, ServedLog, type AuditLogs, type LogIdentity } from '@ringfence/store/audit-log';
import type { Fault } from '../fault-points.ts';
import type { CustodianKeys } from '../identity/custodian-keys.ts';
import type { CustodianStore } from '../store/open-store.ts';

/** What the log stands on. */
interface LogParts {
  readonly store: CustodianStore;
  readonly keys: Pick<CustodianKeys, 'id' | 'sign'>;
  readonly owner: { readonly claimed: { readonly org: OrgId; readonly epoch: number } | undefined };
  readonly clock: Clock;
  readonly log: Log;
  readonly fault: Fault;
}

/** The log over this custodian's database; `sequencing` is to be started once there is an organisation. */
export function keptLog({ store, keys, owner, clock, log, fault }: LogParts): AuditLogs {
  const identity: LogIdentity = {
    keeper: { kind: 'custodian', id: keys.id },
    key: deriveNoteKey(keys.sign, 'log'),
    epochOf: () => owner.claimed?.epoch ?? 1,
  };
  const own = (): OrgId[] => (owner.claimed === undefined ? [] : [owner.claimed.org]);
  const sequencing = new Sequencing({
    sequencer: new LogSequencer({ store, identity, fault }),
    // One look at an organisation costs no more than to ask whether it is behind.
    behind: () => Promise.resolve(own()),
    leads: () => owner.claimed !== undefined,
    clock,
    log,
  });
  return { identity, served: new ServedLog(store, identity), sequencing };
}
