import { errorFields, type Log } from '@ringfence/base';
import { statementDigest } from '@ringfence/crypto/sign';
import { checkDeletion } from '@ringfence/keyring';
import type { MessageBody } from '@ringfence/protocol/messages';
import type { ClaimedOrganisation } from '../claim/claimed-organisation.ts';
import type { Fault } from '../fault-points.ts';
import type { CustodianStore } from '../store/open-store.ts';
import type { ShredOrderTable } from '../store/shredding-tables.ts';
import { carryOut, type ShredContext } from './carry-out.ts';

type Body = MessageBody<'shred-keys'>;

/** What destroying keys works with. */
export interface ShreddingParts extends ShredContext {
  readonly store: CustodianStore;
  readonly log: Log;
  readonly fault: Fault;
  /** Messages were stored for the control plane. */
  readonly wake: () => void;
}

/** How often orders that wait for an attempt's end are looked at. */
const LOOK_MS = 1_000;

/**
 * Destroys the data keys of attempts that ran away from home when the control plane says that they are over, and answers. It is this custodian that
 * knows whether they may still run: an order for one that may waits.
 */
export class Shredding {
  readonly #parts: ShreddingParts;
  #claimed: ClaimedOrganisation | undefined;
  #turn: Promise<void> = Promise.resolve();
  #cancelLook = (): void => {};
  #stopped = false;

  constructor(parts: ShreddingParts) {
    this.#parts = parts;
  }

  /** The organisation is there: goes on with what an earlier process took. */
  start(claimed: ClaimedOrganisation): void {
    this.#claimed = claimed;
    this.look();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#cancelLook();
    await this.#turn;
  }

  /** Takes an order; resolves once it is stored, and carried out where nothing of it may still run. */
  async take(body: Body): Promise<void> {
    const claimed = this.#claimed;
    if (claimed === undefined) return;
    const { store, clock, fault } = this.#parts;
    const { request, agent, attempts } = body;
    const deletion = this.#deletionOf(claimed, body);
    await store.withOrg(claimed.org, async (tx) => {
      await tx
        .insertInto('shred_order')
        .values({ org: claimed.org, request, agent, attempts: JSON.stringify(attempts), deletion, at: clock.now() })
        .onConflict((conflict) => conflict.doNothing())
        .execute();
      fault('shred-before-commit');
    });
    fault('shred-after-commit');
    this.look();
    await this.#turn;
  }

  /** Carries out what can be carried out. */
  look(): void {
    this.#turn = this.#turn.then(() => this.#look());
  }

  /** What the provider said: the digest of its word, that there is none, or that it does not count. */
  #deletionOf({ keyring }: ClaimedOrganisation, body: Body): ShredOrderTable['deletion'] {
    if (body.deletion === undefined) return 'missing';
    const decision = checkDeletion(body.deletion, body, { keyring });
    if (decision.allow) return statementDigest(body.deletion);
    this.#parts.log.warn('deletion.refused', { agent: body.agent, reason: decision.reasons.join() });
    return 'refused';
  }

  async #look(): Promise<void> {
    const claimed = this.#claimed;
    if (claimed === undefined || this.#stopped) return;
    const { log, wake } = this.#parts;
    this.#cancelLook();
    let waits = true;
    try {
      waits = await this.#carryOut(claimed);
      wake();
    } catch (error) {
      log.warn('shredding.failed', errorFields(error));
    }
    if (waits && !this.#stopped) this.#cancelLook = this.#parts.clock.after(LOOK_MS, () => this.look());
  }

  /** True when an order waits. */
  async #carryOut(claimed: ClaimedOrganisation): Promise<boolean> {
    const { store } = this.#parts;
    const orders = await store.withOrg(claimed.org, (tx) =>
      tx.selectFrom('shred_order').selectAll().orderBy('at').execute(),
    );
    let waits = false;
    for (const order of orders)
      waits = !(await store.withOrg(claimed.org, (tx) => carryOut(this.#parts, tx, claimed, order))) || waits;
    return waits;
  }
}
