import type { AgentId } from '@ringfence/base';
import { CustodianError } from '../custodian-error.ts';

/** Of what is free beyond the reserve when an agent's day begins, what it may fill by itself. */
const SHARE = 0.5;
const DAY_MS = 86_400_000;

interface Used {
  readonly since: number;
  readonly bytes: number;
}

/**
 * What each agent has uploaded within a day: no single one may fill the disk, whatever job it says that it runs. A day begins with its first
 * upload; a custodian that starts again begins anew.
 */
export class UploadShares {
  readonly #used = new Map<AgentId, Used>();

  /** Counts `length` bytes more of `agent`, with `room` bytes free beyond the reserve. Throws CustodianError `disk-full` beyond its share. */
  take(agent: AgentId, length: number, { room, now }: { readonly room: number; readonly now: number }): void {
    for (const [other, { since }] of this.#used) if (now - since >= DAY_MS) this.#used.delete(other);
    const { since, bytes } = this.#used.get(agent) ?? { since: now, bytes: 0 };
    // What it has uploaded is free no more: with it the room is again what it was, less what others took.
    if (bytes + length > SHARE * (bytes + room))
      throw new CustodianError('disk-full', 'this agent has uploaded its share of the custodian’s disk for a day', {
        next: 'give the custodian a larger disk, or remove versions that nobody needs with `ringfence artifact prune`',
      });
    this.#used.set(agent, { since, bytes: bytes + length });
  }
}
