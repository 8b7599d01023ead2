import type { OrgId } from '@ringfence/base';
import type { DurablePartyMessage } from '@ringfence/client/control-link';
import { StoreError } from '@ringfence/store';
import type { ControlPlaneContext } from '../jobs/control-plane-context.ts';
import type { Connected } from './party-link.ts';
import { takeMessages, type ArrivedMessage } from './party-message.ts';

/** What one transaction takes at most: others of the organisation wait for it. */
const MOST_TOGETHER = 64;

const OF_DATABASE: ReadonlySet<string> = new Set(['unavailable', 'timeout', 'outcome-unknown', 'closed']);

interface Waiting extends ArrivedMessage {
  readonly onTaken: () => void;
  readonly onRefused: (error: unknown) => void;
}

/**
 * Commits messages of an organisation's parties that arrived while a change of it ran in one transaction: the busier an organisation, the
 * less each message costs. When that fails each is tried alone, so that nobody's message stands in another's way; but when the database is
 * away or too slow, all are refused, and their parties send them again.
 */
export class MessageGroups {
  readonly #context: ControlPlaneContext;
  readonly #waiting = new Map<OrgId, Waiting[]>();

  constructor(context: ControlPlaneContext) {
    this.#context = context;
  }

  /** Resolves when the message is committed. Throws ControlPlaneError `conflict` for an old connection. */
  take(from: Connected, message: DurablePartyMessage, mid: number): Promise<void> {
    const { org } = from.party;
    return new Promise((resolve, reject) => {
      const arrived = { from, message, mid, onTaken: resolve, onRefused: reject };
      const waiting = this.#waiting.get(org);
      if (waiting !== undefined) return void waiting.push(arrived);
      this.#waiting.set(org, [arrived]);
      void this.#take(org);
    });
  }

  async #take(org: OrgId): Promise<void> {
    let group: readonly Waiting[] = [];
    try {
      const refused = await this.#context.changes.run(org, (tx) => {
        group = this.#draw(org);
        return takeMessages(this.#context, tx, org, group);
      });
      this.#committed(group);
      settle(group, refused);
    } catch (error) {
      const cameToNothing = group.length === 0 ? this.#draw(org) : [];
      // None of these was looked at, so none is at fault.
      for (const { onRefused } of cameToNothing) onRefused(error);
      if (group.length === 1 || isOfDatabase(error)) for (const { onRefused } of group) onRefused(error);
      else await this.#takeEachAlone(org, group);
    }
  }

  /** Who arrived until now; what is too much has a turn of its own. */
  #draw(org: OrgId): readonly Waiting[] {
    const waiting = this.#waiting.get(org) ?? [];
    const group = waiting.splice(0, MOST_TOGETHER);
    if (waiting.length === 0) this.#waiting.delete(org);
    else void this.#take(org);
    return group;
  }

  async #takeEachAlone(org: OrgId, group: readonly Waiting[]): Promise<void> {
    for (const one of group)
      await this.#context.changes
        .run(org, (tx) => takeMessages(this.#context, tx, org, [one]))
        .then(
          (refused) => {
            this.#committed([one]);
            settle([one], refused);
          },
          (error: unknown) => one.onRefused(error),
        );
  }

  #committed(group: readonly ArrivedMessage[]): void {
    const { fault } = this.#context;
    for (const { message } of group) {
      fault('message-after-commit');
      if (message.name === 'committed') fault('committed-after-commit');
      if (message.name === 'wanted') fault('wanted-after-commit');
    }
  }
}

/** Whether no message can be at fault: each alone would wait as long, and in vain. */
function isOfDatabase(error: unknown): boolean {
  return error instanceof StoreError && OF_DATABASE.has(error.code);
}

function settle(group: readonly Waiting[], refused: ReadonlyMap<ArrivedMessage, Error>): void {
  for (const one of group) {
    const error = refused.get(one);
    if (error === undefined) one.onTaken();
    else one.onRefused(error);
  }
}
