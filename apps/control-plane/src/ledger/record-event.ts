import type { Clock, EpochMs, OrgId } from '@ringfence/base';
import { createLedger, type LedgerEntry, type LedgerHead, type LedgerRows } from '@ringfence/ledger';
import type { Digest } from '@ringfence/crypto/sign';
import { CompiledQuery } from 'kysely';
import { z } from 'zod';
import { noticeOf } from '../notices/notice-of.ts';
import type { ControlPlaneStore, Tx } from '../store/open-store.ts';
import { controlPlaneEvent, type ControlPlaneEvent } from './control-plane-event.ts';

/** Heads that a running transaction has locked: nobody else moves them before it ends. */
const heads = new WeakMap<Tx, LedgerHead>();

const headRow = z.object({ event_seq: z.int(), event_hash: z.custom<Digest>((hash) => typeof hash === 'string') });

/** Whether an event was written in a transaction. */
export function hasRecorded(tx: Tx): boolean {
  return heads.has(tx);
}

/** Locks the organisation's row, which is its ledger's head and the first lock of every change. */
export function organisationLock(org: OrgId): CompiledQuery {
  return CompiledQuery.raw('select event_seq, event_hash from organisation where org = $1 for no key update', [org]);
}

/** The ledgers' rows; what is written leaves with the COMMIT, since each round trip of a change is waited for. */
function rowsIn(store: Pick<ControlPlaneStore, 'atCommit' | 'locked'>): LedgerRows<Tx, ControlPlaneEvent> {
  const unsent = new WeakMap<Tx, UnsentEntries>();
  return {
    lockHead: async (tx, org) => heads.get(tx) ?? (await lockHead(store, tx, org)),
    async insert(tx, org, entry, event) {
      const { seq, hash } = entry;
      heads.set(tx, { seq, hash });
      const begun = unsent.get(tx);
      if (begun?.org === org) return begun.add(entry, event);
      const entries = new UnsentEntries(org);
      entries.add(entry, event);
      unsent.set(tx, entries);
      store.atCommit(tx, entries.insertion());
    },
  };
}

/** One organisation's entries of a transaction, column by column: one statement writes all, whenever they were added before the COMMIT. */
class UnsentEntries {
  readonly org: OrgId;
  readonly #seqs: number[] = [];
  readonly #moments: EpochMs[] = [];
  readonly #types: string[] = [];
  readonly #jobs: (string | null)[] = [];
  readonly #bodies: Buffer[] = [];
  readonly #hashes: Digest[] = [];

  constructor(org: OrgId) {
    this.org = org;
  }

  add({ seq, at, body, hash }: LedgerEntry, event: ControlPlaneEvent): void {
    this.#seqs.push(seq);
    this.#moments.push(at);
    this.#types.push(event.type);
    this.#jobs.push('job' in event ? event.job : null);
    this.#bodies.push(Buffer.from(body));
    this.#hashes.push(hash);
  }

  /** The statement that writes all that is there when it is sent, and moves the head to the last. */
  insertion(): CompiledQuery {
    return CompiledQuery.raw(
      `with head as (
         update organisation set event_seq = ($2::bigint[])[cardinality($2::bigint[])], event_hash = ($7::text[])[cardinality($7::text[])]
         where org = $1
       )
       insert into event (org, seq, at, type, job, body, hash)
         select $1, * from unnest($2::bigint[], $3::bigint[], $4::text[], $5::text[], $6::bytea[], $7::text[])`,
      [this.org, this.#seqs, this.#moments, this.#types, this.#jobs, this.#bodies, this.#hashes],
    );
  }
}

async function lockHead(store: Pick<ControlPlaneStore, 'locked'>, tx: Tx, org: OrgId): Promise<LedgerHead> {
  // A change has locked its organisation; a registration, which makes it, has not.
  const locked = (await store.locked(tx)) ?? (await tx.executeQuery(organisationLock(org))).rows[0];
  const { event_seq: seq, event_hash: hash } = headRow.parse(locked);
  return { seq, hash };
}

/** Writes events into the organisations' ledgers, and beside one that its member is told of the notice. */
export function recordEvent(
  clock: Clock,
  store: Pick<ControlPlaneStore, 'atCommit' | 'locked'>,
): (tx: Tx, org: OrgId, event: ControlPlaneEvent) => Promise<void> {
  const ledger = createLedger({ rows: rowsIn(store), schema: controlPlaneEvent, clock });
  return async (tx, org, event) => {
    const { seq, at } = await ledger.append(tx, org, event);
    const told = noticeOf(event);
    if (told === undefined) return;
    const about = JSON.stringify(told.about);
    await tx.insertInto('notice').values({ org, seq, at, member: told.member, about }).execute();
  };
}
