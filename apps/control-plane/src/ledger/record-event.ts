import type { Clock, OrgId } from '@ringfence/base';
import { createLedger, type LedgerHead, type LedgerRows } from '@ringfence/ledger';
import { sql } from 'kysely';
import type { Tx } from '../store/open-store.ts';
import { controlPlaneEvent, type ControlPlaneEvent } from './control-plane-event.ts';

/** Heads that a running transaction has locked: nobody else moves them before it ends. */
const heads = new WeakMap<Tx, LedgerHead>();

/** Locks the organisation's row, which is its ledger's head and the first lock of every change. */
export async function lockOrganisation(tx: Tx, org: OrgId): Promise<LedgerHead> {
  const { event_seq: seq, event_hash: hash } = await tx
    .selectFrom('organisation')
    .select(['event_seq', 'event_hash'])
    .where('org', '=', org)
    .forNoKeyUpdate()
    .executeTakeFirstOrThrow();
  const head = { seq, hash };
  heads.set(tx, head);
  return head;
}

const rows: LedgerRows<Tx> = {
  lockHead: async (tx, org) => heads.get(tx) ?? lockOrganisation(tx, org),
  async insert(tx, org, { seq, at, body, hash }) {
    const event = controlPlaneEvent.parse(JSON.parse(Buffer.from(body).toString('utf8')).event);
    const job = 'job' in event ? event.job : null;
    // One statement: each round trip of a launch is waited for.
    await sql`
      with head as (update organisation set event_seq = ${seq}, event_hash = ${hash} where org = ${org})
      insert into event (org, seq, at, type, job, body, hash)
        values (${org}, ${seq}, ${at}, ${event.type}, ${job}, ${Buffer.from(body)}, ${hash})`.execute(tx);
    heads.set(tx, { seq, hash });
  },
};

/** Writes events into the organisations' ledgers. */
export function recordEvent(clock: Clock): (tx: Tx, org: OrgId, event: ControlPlaneEvent) => Promise<void> {
  const ledger = createLedger({ rows, schema: controlPlaneEvent, clock });
  return async (tx, org, event) => void (await ledger.append(tx, org, event));
}
