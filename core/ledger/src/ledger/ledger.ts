import type { Clock, OrgId } from '@ringfence/base';
import type { z } from 'zod';
import { LedgerError } from '../ledger-error.ts';
import { nextEntry, type LedgerEntry, type LedgerHead } from './ledger-chain.ts';

/** The rows of a ledger in somebody's database; `Tx` is the transaction of the change that an event tells of. */
export interface LedgerRows<Tx, Event extends object = object> {
  /** The head, locked until the transaction ends, so that entries of one organisation follow each other. */
  lockHead(tx: Tx, org: OrgId): Promise<LedgerHead>;
  /** Stores the entry, whose event `event` is, and moves the head to it. */
  insert(tx: Tx, org: OrgId, entry: LedgerEntry, event: Event): Promise<void>;
}

/** Appends events to organisations' ledgers. */
export interface Ledger<Tx, Event extends object> {
  /** One event, in the transaction of the change that it tells of: both are there, or neither. Throws LedgerError `bad-event`. */
  readonly append: (tx: Tx, org: OrgId, event: Event) => Promise<LedgerEntry>;
}

/** A ledger over `rows` whose events are of `schema`: ids, enumerations, bounded numbers. */
export function createLedger<Tx, Schema extends z.ZodType<object>>(options: {
  rows: LedgerRows<Tx, z.output<Schema>>;
  schema: Schema;
  clock: Clock;
}): Ledger<Tx, z.output<Schema>> {
  const { rows, schema, clock } = options;
  return {
    async append(tx, org, event) {
      const parsed = schema.safeParse(event);
      if (!parsed.success)
        throw new LedgerError('bad-event', 'the event is not on the list of this ledger', { cause: parsed.error });
      const entry = nextEntry(await rows.lockHead(tx, org), { org, at: clock.now(), event: parsed.data });
      await rows.insert(tx, org, entry, parsed.data);
      return entry;
    },
  };
}
