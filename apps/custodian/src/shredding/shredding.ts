import { errorFields, type JobId, type Log } from '@ringfence/base';
import { statementDigest } from '@ringfence/crypto/sign';
import { checkDeletion } from '@ringfence/keyring';
import type { MessageBody } from '@ringfence/protocol/messages';
import type { Selectable } from 'kysely';
import type { ClaimedOrganisation } from '../claim/claimed-organisation.ts';
import type { Fault } from '../fault-points.ts';
import type { CustodianStore, Tx } from '../store/open-store.ts';
import type { ShredOrderTable } from '../store/shredding-tables.ts';
import { carryOut, type ShredContext } from './carry-out.ts';
import { isAfterEnds } from './deletion-date.ts';

type Body = MessageBody<'shred-keys'>;

/** What destroying keys works with. */
export interface ShreddingParts extends ShredContext {
  readonly store: Pick<CustodianStore, 'withOrg'>;
  readonly log: Log;
  readonly fault: Fault;
  /** Messages were stored for the control plane. */
  readonly wake: () => void;
}

/** Carrying out what failed is tried again after so many milliseconds. */
const AGAIN_MS = 60_000;

/** More orders than these do not wait: the oldest are forgotten, unanswered. */
const MOST_WAITING = 1_024;

type Order = Pick<Selectable<ShredOrderTable>, 'request' | 'deletion'>;

/** An order that is not carried out. */
interface Waiting {
  readonly order: Order;
  /** Of which jobs an attempt has to end first; undefined before the order was looked at. */
  jobs: ReadonlySet<JobId> | undefined;
  /** It can be looked at, again. */
  due: boolean;
}

/**
 * Destroys the data keys of attempts that ran away from home when the control plane says that they are over, and answers. It is this custodian that
 * knows whether they are: an order waits for the ends of its attempts, and is looked at when one comes.
 */
export class Shredding {
  readonly #parts: ShreddingParts;
  readonly #waiting = new Map<string, Waiting>();
  #claimed: ClaimedOrganisation | undefined;
  #turn: Promise<void> = Promise.resolve();
  #cancelAgain = (): void => {};
  #stopped = false;
  #recovered = false;

  constructor(parts: ShreddingParts) {
    this.#parts = parts;
  }

  /** The organisation is there: goes on with what an earlier process took. */
  start(claimed: ClaimedOrganisation): void {
    this.#claimed = claimed;
    this.#look();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#cancelAgain();
    await this.#turn;
  }

  /** Takes an order; resolves once it is stored. It is carried out apart, in its turn. */
  async take(body: Body): Promise<void> {
    const claimed = this.#claimed;
    if (claimed === undefined) return;
    const { store, clock, fault, log } = this.#parts;
    const { request, agent, attempts } = body;
    const { stored, forgotten } = await store.withOrg(claimed.org, async (tx) => {
      const deletion = await this.#deletionOf(tx, claimed, body);
      await tx
        .insertInto('shred_order')
        .values({ org: claimed.org, request, agent, attempts: JSON.stringify(attempts), deletion, at: clock.now() })
        .onConflict((conflict) => conflict.doNothing())
        .execute();
      const removed = await forgetOldest(tx);
      fault('shred-before-commit');
      return { stored: { request, deletion }, forgotten: removed };
    });
    fault('shred-after-commit');
    this.#await(stored);
    for (const order of forgotten) this.#waiting.delete(keyOf(order));
    if (forgotten.length > 0) log.warn('shredding.forgotten', { count: forgotten.length });
    this.#look();
  }

  /** An attempt of this job may be over: carries out what waited for that. */
  ended(job: JobId): void {
    let some = false;
    for (const waiting of this.#waiting.values()) {
      if (waiting.jobs !== undefined && !waiting.jobs.has(job)) continue;
      waiting.due = true;
      some = true;
    }
    if (some) this.#look();
  }

  /** Resolves once what was taken or became possible before this call is done. */
  settled(): Promise<void> {
    return this.#turn;
  }

  #await(order: Order): void {
    this.#waiting.set(keyOf(order), { order, jobs: undefined, due: true });
  }

  /** What the provider said: the digest of its word, that there is none, or that it does not count. */
  async #deletionOf(tx: Tx, { keyring }: ClaimedOrganisation, body: Body): Promise<ShredOrderTable['deletion']> {
    if (body.deletion === undefined) return 'missing';
    const decision = checkDeletion(body.deletion, body, { keyring });
    const reasons = decision.allow ? ['before-end'] : decision.reasons;
    if (decision.allow && (await isAfterEnds(tx, body, decision.deletion.body.at)))
      return statementDigest(body.deletion);
    this.#parts.log.warn('deletion.refused', { agent: body.agent, reason: reasons.join() });
    return 'refused';
  }

  #look(): void {
    this.#turn = this.#turn.then(() => this.#carryOutDue());
  }

  async #carryOutDue(): Promise<void> {
    const claimed = this.#claimed;
    if (claimed === undefined || this.#stopped) return;
    this.#cancelAgain();
    const errors: unknown[] = [];
    if (!this.#recovered) await this.#recover(claimed).catch((error: unknown) => errors.push(error));
    for (const [key, waiting] of this.#waiting) {
      if (this.#stopped) return;
      if (waiting.due) await this.#carryOut(claimed, key, waiting).catch((error: unknown) => errors.push(error));
    }
    if (errors.length === 0) return;
    this.#parts.log.warn('shredding.failed', { ...errorFields(errors[0]), count: errors.length });
    if (!this.#stopped) this.#cancelAgain = this.#parts.clock.after(AGAIN_MS, () => this.#look());
  }

  /** What an earlier process took. */
  async #recover(claimed: ClaimedOrganisation): Promise<void> {
    const orders = await this.#parts.store.withOrg(claimed.org, (tx) =>
      tx.selectFrom('shred_order').select(['request', 'deletion']).orderBy('at').execute(),
    );
    for (const order of orders) this.#await(order);
    this.#recovered = true;
  }

  async #carryOut(claimed: ClaimedOrganisation, key: string, waiting: Waiting): Promise<void> {
    // An end that comes meanwhile makes it due again.
    waiting.due = false;
    waiting.jobs = undefined;
    try {
      waiting.jobs = await this.#jobsAwaited(claimed, waiting.order);
    } catch (error) {
      waiting.due = true;
      throw error;
    }
    if (waiting.jobs.size > 0) return;
    if (this.#waiting.get(key) === waiting) this.#waiting.delete(key);
    this.#parts.wake();
  }

  /** Carries out what can be carried out, and gives the jobs that it waits for. */
  #jobsAwaited(claimed: ClaimedOrganisation, { request, deletion }: Order): Promise<ReadonlySet<JobId>> {
    return this.#parts.store.withOrg(claimed.org, async (tx) => {
      const order = await tx
        .selectFrom('shred_order')
        .selectAll()
        .where('request', '=', request)
        .where('deletion', '=', deletion)
        .executeTakeFirst();
      return order === undefined ? new Set<JobId>() : carryOut(this.#parts, tx, claimed, order);
    });
  }
}

/** Forgets what is too much, the oldest first. */
async function forgetOldest(tx: Tx): Promise<readonly Order[]> {
  const oldest = await tx
    .selectFrom('shred_order')
    .select(['request', 'deletion'])
    .orderBy('at', 'desc')
    .offset(MOST_WAITING)
    .execute();
  for (const { request, deletion } of oldest)
    await tx.deleteFrom('shred_order').where('request', '=', request).where('deletion', '=', deletion).execute();
  return oldest;
}

function keyOf({ request, deletion }: Order): string {
  return `${request} ${deletion}`;
}
