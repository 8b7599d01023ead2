import type { Clock, OrgId } from '@ringfence/base';
import { createLedger, type LedgerRows } from '@ringfence/ledger';
import { noteRecorded } from '../audit/after-commit.ts';
import type { Tx } from '../store/open-store.ts';
import { custodianEvent, type CustodianEvent } from './custodian-event.ts';

/** Writes one event in the transaction of the change that it tells of. */
export type RecordEvent = (tx: Tx, org: OrgId, event: CustodianEvent) => Promise<void>;

/**
 * The ledger's rows; the organisation's row is its head and its lock, taken last in every transaction. Not `for update`: every row that a
 * transaction inserted before holds a key-share lock on its organisation, and transactions side by side would wait for each other's.
 */
const rows: LedgerRows<Tx> = {
  async lockHead(tx, org) {
    const head = await tx
      .selectFrom('organisation')
      .select(['event_seq', 'event_hash'])
      .where('org', '=', org)
      .forNoKeyUpdate()
      .executeTakeFirstOrThrow();
    return { seq: head.event_seq, hash: head.event_hash };
  },
  async insert(tx, org, { seq, at, body, hash }) {
    const { event } = JSON.parse(Buffer.from(body).toString('utf8')) as { event: CustodianEvent };
    await tx
      .insertInto('event')
      .values({ org, seq, at, type: event.type, body: Buffer.from(body), hash })
      .execute();
    await tx.updateTable('organisation').set({ event_seq: seq, event_hash: hash }).where('org', '=', org).execute();
  },
};

/** Writes events into the organisation's ledger. */
export function recordEvent(clock: Clock): RecordEvent {
  const ledger = createLedger({ rows, schema: custodianEvent, clock });
  return async (tx, org, event) => {
    await ledger.append(tx, org, event);
    noteRecorded(tx);
  };
}
