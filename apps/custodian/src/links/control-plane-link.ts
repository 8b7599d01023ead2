import { join } from 'node:path';
import { errorFields, sleep, type Clock, type Log, type Rng } from '@ringfence/base';
import {
  createControlLink,
  LinkJournal,
  type ControlLink,
  type ControlPlaneMessage,
  type Fact,
  type JournalRetention,
  type LinkState,
  type StoredFact,
} from '@ringfence/client/control-link';
import type { MessageBody } from '@ringfence/protocol/messages';
import type { ClaimedOrganisation } from '../claim/claimed-organisation.ts';
import type { Fault } from '../fault-points.ts';
import type { CustodianKeys } from '../identity/custodian-keys.ts';
import type { Seat } from '../standby/seat.ts';
import type { CustodianStore } from '../store/open-store.ts';
import { forgetMessages, waitingMessages } from './outbox.ts';

/** What the link works with. */
export interface LinkParts {
  readonly state: string;
  readonly store: CustodianStore;
  readonly keys: CustodianKeys;
  readonly clock: Clock;
  readonly rng: Rng;
  readonly log: Log;
  readonly fault: Fault;
  readonly outer: { readonly caFile: string | undefined; readonly proxy: string | undefined };
  readonly reconnectWithin: number | undefined;
  /** What lets this process write the journal. */
  readonly seat?: Pick<Seat, 'mayWrite' | 'displaces'>;
  /** How long closed segments of the journal are kept. */
  readonly retention?: JournalRetention | undefined;
  readonly onJournalFailed?: ((error: Error) => void) | undefined;
  readonly onJobClosed: (message: Extract<ControlPlaneMessage, { name: 'job-closed' }>) => Promise<void>;
  /** Judges what the control plane shows of its log; the fact is journaled. */
  readonly onLogCheckpoint: (body: MessageBody<'log-checkpoint'>) => Promise<Fact | undefined>;
  readonly onShredKeys: (body: MessageBody<'shred-keys'>) => Promise<void>;
}

const HANDED = 'outbox-handed';
const RETRY_MS = 5_000;
const POLL_MS = 5;

/**
 * The control link of a claimed custodian. Messages come from the outbox table; the journal's fact that takes one over names its id, so a
 * crash between journal and table hands over nothing twice.
 */
export class ControlPlaneLink {
  readonly #parts: LinkParts;
  #link: ControlLink | undefined;
  #journal: LinkJournal | undefined;
  #claimed: ClaimedOrganisation | undefined;
  #handed = 0;
  #running: Promise<void> = Promise.resolve();
  #pumping = false;
  #again = false;
  #cancelRetry = (): void => {};

  constructor(parts: LinkParts) {
    this.#parts = parts;
  }

  get state(): LinkState | 'unclaimed' {
    return this.#link?.state ?? 'unclaimed';
  }

  /** Opens the journal and begins to dial; call once, when there is an organisation. */
  start(claimed: ClaimedOrganisation): void {
    const { state, keys, clock, rng, log, outer, reconnectWithin } = this.#parts;
    const { controlPlane } = claimed;
    const party = { id: keys.id, org: claimed.org, role: 'custodian' } as const;
    const journal = LinkJournal.open({
      folder: join(state, 'links', controlPlane.id),
      party,
      controlPlane: controlPlane.id,
      clock,
      key: keys.sign,
      rng,
      log,
      retention: this.#parts.retention,
      mayWrite: this.#parts.seat?.mayWrite,
      displaces: this.#parts.seat?.displaces,
      onFact: (fact) => this.#remember(fact),
      onFailed: this.#parts.onJournalFailed,
    });
    this.#claimed = claimed;
    this.#journal = journal;
    this.#link = createControlLink({
      url: controlPlane.url,
      controlPlane: controlPlane.id,
      root: controlPlane.root,
      party,
      key: keys.sign,
      journal,
      clock,
      rng,
      log,
      trust: { caFile: outer.caFile, pin: controlPlane.caPin ?? undefined },
      proxy: outer.proxy,
      firstDelayMs: reconnectWithin,
      heartbeat: () => ({ attempts: [] }),
      onMessage: async (message) => {
        if (message.name === 'job-closed') await this.#parts.onJobClosed(message);
        if (message.name === 'shred-keys') await this.#parts.onShredKeys(message.body);
        return message.name === 'log-checkpoint' ? this.#parts.onLogCheckpoint(message.body) : undefined;
      },
    });
    this.#link.start();
    this.wake();
  }

  /** Hands stored messages over; call after a commit that may have stored one. */
  wake(): void {
    if (this.#link === undefined) return;
    if (this.#pumping) {
      this.#again = true;
      return;
    }
    this.#cancelRetry();
    this.#pumping = true;
    this.#running = this.#pump();
  }

  /**
   * Waits until the control plane has acknowledged everything that is stored now, at most `within` milliseconds; false when it has not. Does
   * not wait while the link is down, unless `evenDown`.
   */
  async acknowledged(within: number, evenDown = false): Promise<boolean> {
    const { clock } = this.#parts;
    const until = clock.monotonic() + within;
    while (clock.monotonic() < until) {
      if (!evenDown && this.state !== 'up') return false;
      await this.#running;
      const journal = this.#journal?.state;
      if (journal !== undefined && this.state === 'up' && journal.acknowledged >= journal.queued) return true;
      await sleep(clock, POLL_MS);
    }
    return false;
  }

  async stop(): Promise<void> {
    this.#cancelRetry();
    await this.#running;
    await this.#link?.stop();
    await this.#journal?.close();
    this.#link = undefined;
  }

  #remember(fact: StoredFact): void {
    if (fact.name !== HANDED) return;
    const { body } = fact;
    if (typeof body === 'object' && body !== null && 'id' in body)
      this.#handed = Math.max(this.#handed, Number(body['id']));
  }

  async #pump(): Promise<void> {
    try {
      do {
        this.#again = false;
        while (await this.#handOver());
      } while (this.#again);
    } catch (error) {
      this.#parts.log.error('outbox.stuck', errorFields(error));
      this.#cancelRetry = this.#parts.clock.after(RETRY_MS, () => this.wake());
    } finally {
      this.#pumping = false;
    }
  }

  /** Hands a batch to the journal, then forgets it; true when there may be more. */
  async #handOver(): Promise<boolean> {
    const { store, fault } = this.#parts;
    const [claimed, link] = [this.#claimed, this.#link];
    if (claimed === undefined || link === undefined) return false;
    const waiting = await store.withOrg(claimed.org, (tx) => waitingMessages(tx, this.#handed), { readOnly: true });
    for (const { id, message } of waiting) {
      fault('outbox-before-journal');
      await link.record({ name: HANDED, body: { id }, queue: [message] });
      fault('outbox-after-journal');
      this.#handed = id;
    }
    if (waiting.length > 0) await store.withOrg(claimed.org, (tx) => forgetMessages(tx, this.#handed));
    return waiting.length > 0;
  }
}
