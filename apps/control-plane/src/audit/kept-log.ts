import type { OrgId } from '@ringfence/base';
import { deriveNoteKey } from '@ringfence/crypto/note';
import { LogSequencer, Sequencing, ServedLog, type AuditLogs, type LogIdentity } from '@ringfence/store/audit-log';
import { sql } from 'kysely';
import type { ControlPlaneContext } from '../jobs/control-plane-context.ts';
import type { ControlPlaneStore } from '../store/open-store.ts';

/** The logs over `context`'s database; `sequencing` is to be started. */
export function keptLog(
  context: Pick<ControlPlaneContext, 'store' | 'identity' | 'term' | 'clock' | 'log' | 'fault'>,
): AuditLogs {
  const { store, term, clock, log, fault } = context;
  const { id, root } = context.identity;
  const identity: LogIdentity = {
    keeper: { kind: 'control-plane', id },
    key: deriveNoteKey(root, 'log'),
    epochOf: () => 1,
  };
  const sequencing = new Sequencing({
    sequencer: new LogSequencer({ store, identity, fault }),
    behind: () => logsBehind(store),
    leads: () => term.current !== undefined,
    clock,
    log,
  });
  return { identity, served: new ServedLog(store, identity), sequencing };
}

/** Organisations whose log has not all that their ledger has. */
async function logsBehind(store: ControlPlaneStore): Promise<OrgId[]> {
  const rows = await store.querySystem(
    'logs-behind',
    (db) =>
      sql<{ org: OrgId }>`
        select organisation.org from organisation left join audit_log using (org)
        where organisation.event_seq > coalesce(audit_log.size, 0)`.compile(db),
    { readOnly: true },
  );
  return rows.map(({ org }) => org);
}
