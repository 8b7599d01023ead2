import type { OrgId } from '@ringfence/base';
import type { Subscription } from '@ringfence/store';
import { hasRecorded, organisationLock } from '../ledger/record-event.ts';
import type { ControlPlaneStore, Tx } from './open-store.ts';

/** What a committed change may wake: who places, who holds a party's link, who holds an older link of a party, who watches over locks. */
export type WakeChannel = 'place' | 'outbox' | 'link' | 'lock';

/** Called with what a change named, or with undefined when anything may have happened. */
export type OnWake = (payload: string | undefined) => void;

/** What a change named, each once. */
type Noted = Map<WakeChannel, Set<string>>;

/**
 * Changes of an organisation's rows, one after the other over all replicas, and whom they wake: this process as soon as
 * the change is committed, the other replicas by NOTIFY. A lost notification delays until the next tick and loses nothing.
 */
export class OrgChanges {
  readonly #store: ControlPlaneStore;
  readonly #replica: string;
  readonly #noted = new WeakMap<Tx, Noted>();
  readonly #listeners = new Map<WakeChannel, Set<OnWake>>();
  readonly #turns = new Map<OrgId, Promise<void>>();
  #onRecorded: (org: OrgId) => void = () => {};

  constructor(store: ControlPlaneStore, replica: string) {
    this.#store = store;
    this.#replica = replica;
  }

  /**
   * Runs `run` in a transaction that first locks the organisation, then wakes those whom it noted. Changes of one organisation wait for
   * each other here, not on its row: a burst of one would else hold every connection of the pool. Never call it within a change.
   */
  run<T>(org: OrgId, run: (tx: Tx) => Promise<T>): Promise<T> {
    const change = (this.#turns.get(org) ?? Promise.resolve()).then(() => this.#change(org, run));
    const turn = change.then(
      () => {},
      () => {},
    );
    this.#turns.set(org, turn);
    void turn.then(() => this.#turns.get(org) === turn && this.#turns.delete(org));
    return change;
  }

  async #change<T>(org: OrgId, run: (tx: Tx) => Promise<T>): Promise<T> {
    let noted: Noted = new Map();
    let recorded = false;
    const result = await this.#store.withOrg(
      org,
      async (tx) => {
        noted = new Map();
        this.#noted.set(tx, noted);
        const done = await run(tx);
        recorded = hasRecorded(tx);
        for (const [channel, payloads] of noted) await this.#notify(tx, channel, payloads);
        return done;
      },
      // The first lock of every change: what it locks afterwards, in whatever order, cannot lock crosswise.
      { lock: organisationLock(org) },
    );
    for (const [channel, payloads] of noted) for (const payload of payloads) this.#spread(channel, payload);
    if (recorded) this.#onRecorded(org);
    return result;
  }

  /** Calls `run` after each change of this process that wrote into an organisation's ledger. */
  onRecorded(run: (org: OrgId) => void): void {
    this.#onRecorded = run;
  }

  /** Notes in a running change whom it wakes. */
  async wake(tx: Tx, channel: WakeChannel, payload = ''): Promise<void> {
    const noted = this.#noted.get(tx);
    if (noted === undefined) return this.#notify(tx, channel, new Set([payload]));
    noted.set(channel, (noted.get(channel) ?? new Set()).add(payload));
  }

  #notify(tx: Tx, channel: WakeChannel, payloads: ReadonlySet<string>): Promise<void> {
    return this.#store.notify(
      tx,
      channel,
      [...payloads].map((payload) => `${this.#replica} ${payload}`),
    );
  }

  /** Calls `onWake` after changes here and on other replicas, and now and then. */
  listen(channel: WakeChannel, onWake: OnWake): Subscription {
    const listeners = this.#listeners.get(channel) ?? new Set();
    this.#listeners.set(channel, listeners.add(onWake));
    const remote = this.#store.listen(channel, (wake) => {
      if (wake.reason !== 'notify') return onWake(undefined);
      const [replica, ...payload] = wake.payload.split(' ');
      if (replica !== this.#replica) onWake(payload.join(' '));
    });
    return {
      close: () => {
        listeners.delete(onWake);
        remote.close();
      },
    };
  }

  #spread(channel: WakeChannel, payload: string): void {
    for (const listener of this.#listeners.get(channel) ?? []) listener(payload);
  }
}
