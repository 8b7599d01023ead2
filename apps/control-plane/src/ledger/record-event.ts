import type { Clock, OrgId } from '@ringfence/base';
import { createLedger, type LedgerHead, type LedgerRows } from '@ringfence/ledger';
import type { Digest } from '@ringfence/crypto/sign';
import { CompiledQuery, sql } from 'kysely';
import { z } from 'zod';
import type { ControlPlaneStore, Tx } from '../store/open-store.ts';
import { controlPlaneEvent, type ControlPlaneEvent } from './control-plane-event.ts';

/** Heads that a running transaction has locked: nobody else moves them before it ends. */
const heads = new WeakMap<Tx, LedgerHead>();

const headRow = z.object({ event_seq: z.int(), event_hash: z.custom<Digest>((hash) => typeof hash === 'string') });

/** Locks the organisation's row, which is its ledger's head and the first lock of every change. */
export function organisationLock(org: OrgId): CompiledQuery {
  return CompiledQuery.raw('select event_seq, event_hash from organisation where org = $1 for no key update', [org]);
}

/** The ledgers' rows; what is written leaves with the COMMIT, since each round trip of a change is waited for. */
function rowsIn(store: Pick<ControlPlaneStore, 'atCommit' | 'locked'>): LedgerRows<Tx> {
  return {
    lockHead: async (tx, org) => heads.get(tx) ?? (await lockHead(store, tx, org)),
    async insert(tx, org, { seq, at, body, hash }) {
      const event = controlPlaneEvent.parse(JSON.parse(Buffer.from(body).toString('utf8')).event);
      const job = 'job' in event ? event.job : null;
      const insertion = sql`
        with head as (update organisation set event_seq = ${seq}, event_hash = ${hash} where org = ${org})
        insert into event (org, seq, at, type, job, body, hash)
          values (${org}, ${seq}, ${at}, ${event.type}, ${job}, ${Buffer.from(body)}, ${hash})`;
      store.atCommit(tx, insertion.compile(tx));
      heads.set(tx, { seq, hash });
    },
  };
}

async function lockHead(store: Pick<ControlPlaneStore, 'locked'>, tx: Tx, org: OrgId): Promise<LedgerHead> {
  // A change has locked its organisation; a registration, which makes it, has not.
  const locked = (await store.locked(tx)) ?? (await tx.executeQuery(organisationLock(org))).rows[0];
  const { event_seq: seq, event_hash: hash } = headRow.parse(locked);
  return { seq, hash };
}

/** Writes events into the organisations' ledgers. */
export function recordEvent(
  clock: Clock,
  store: Pick<ControlPlaneStore, 'atCommit' | 'locked'>,
): (tx: Tx, org: OrgId, event: ControlPlaneEvent) => Promise<void> {
  const ledger = createLedger({ rows: rowsIn(store), schema: controlPlaneEvent, clock });
  return async (tx, org, event) => void (await ledger.append(tx, org, event));
}
