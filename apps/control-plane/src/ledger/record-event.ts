import type { Clock, OrgId } from '@ringfence/base';
import { createLedger, type LedgerRows } from '@ringfence/ledger';
import type { Tx } from '../store/open-store.ts';
import type { ControlPlaneContext } from '../jobs/control-plane-context.ts';
import { controlPlaneEvent } from './control-plane-event.ts';

/** The ledger's rows; the organisation's row is its head and its lock. */
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
    const event = controlPlaneEvent.parse(JSON.parse(Buffer.from(body).toString('utf8')).event);
    await tx
      .insertInto('event')
      .values({ org, seq, at, type: event.type, job: 'job' in event ? event.job : null, body: Buffer.from(body), hash })
      .execute();
    await tx.updateTable('organisation').set({ event_seq: seq, event_hash: hash }).where('org', '=', org).execute();
  },
};

/** Writes events into the organisations' ledgers. */
export function recordEvent(clock: Clock): ControlPlaneContext['record'] {
  const ledger = createLedger({ rows, schema: controlPlaneEvent, clock });
  return async (tx, org: OrgId, event) => void (await ledger.append(tx, org, event));
}
