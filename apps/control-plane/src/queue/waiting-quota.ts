import type { Clock, OrgId } from '@ringfence/base';
import { sql } from 'kysely';
import { ControlPlaneError } from '../control-plane-error.ts';
import type { Tx } from '../store/open-store.ts';

/** So many jobs of one organisation may wait unless the configuration says otherwise: each look at its queue sorts all of them. */
export const MOST_WAITING_JOBS = 20_000;
/** A queue that was full is counted again after so long. */
const FULL_MS = 1_000;

/** How many jobs of each organisation may wait. Counting reads them all, so a count is good for half of what it leaves free: another replica may use the other half. */
export class WaitingQuota {
  readonly #clock: Clock;
  readonly #most: number;
  readonly #left = new Map<OrgId, number>();
  readonly #fullSince = new Map<OrgId, number>();

  constructor(clock: Clock, most: number) {
    this.#clock = clock;
    this.#most = most;
  }

  /** Lets one more job of `org` wait, in its turn. Throws ControlPlaneError `too-much` when as many wait as may. */
  async admit(tx: Tx, org: OrgId): Promise<void> {
    const left = this.#left.get(org) ?? 0;
    if (left > 0) return void this.#left.set(org, left - 1);
    const since = this.#fullSince.get(org);
    if (since !== undefined && this.#clock.monotonic() - since < FULL_MS) throw this.#full();
    const waiting = await this.#count(tx, org);
    if (waiting >= this.#most) {
      this.#fullSince.set(org, this.#clock.monotonic());
      throw this.#full();
    }
    this.#fullSince.delete(org);
    this.#left.set(org, Math.floor((this.#most - waiting - 1) / 2));
  }

  async #count(tx: Tx, org: OrgId): Promise<number> {
    const { rows } = await sql<{ waiting: number }>`
      select count(*)::integer as waiting
      from (select from job where org = ${org} and state = 'queued' limit ${this.#most}) as waiting`.execute(tx);
    return rows[0]?.waiting ?? 0;
  }

  #full(): ControlPlaneError {
    return new ControlPlaneError('too-much', `${this.#most} jobs of the organisation wait already`, {
      next: 'launch again when some have started, or stop some that wait with `ringfence stop`',
    });
  }
}
