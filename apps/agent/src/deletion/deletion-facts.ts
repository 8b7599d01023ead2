import type { DeletionId, JobId } from '@ringfence/base';
import type { Fact, StoredFact } from '@ringfence/client/control-link';
import type { Envelope } from '@ringfence/crypto/sign';
import { idOf } from '@ringfence/protocol';
import { namedAttempts, type NamedAttempt } from '@ringfence/protocol/statements';
import { z } from 'zod';

const asked = z.strictObject({ request: idOf('deletion'), attempts: namedAttempts });
const done = z.strictObject({ request: idOf('deletion') });

/** What a control plane asked to have deleted. */
export interface DeletionOrder {
  readonly request: DeletionId;
  readonly attempts: readonly NamedAttempt[];
}

/** Reads orders to delete out of the facts of a link's journal, oldest first. */
export class DeletionHistory {
  readonly #open = new Map<DeletionId, DeletionOrder>();
  readonly #highest = new Map<JobId, number>();

  /** Orders that are not answered, oldest first. */
  get open(): readonly DeletionOrder[] {
    return [...this.#open.values()];
  }

  /** The highest attempt of each job that an order ever named. */
  get highest(): readonly NamedAttempt[] {
    return [...this.#highest].map(([job, attempt]) => ({ job, attempt }));
  }

  /** Takes the next fact; throws ZodError for one that this release did not write. */
  take({ name, body }: Pick<StoredFact, 'name' | 'body'>): void {
    if (name === 'deletion-asked') {
      const order = asked.parse(body);
      this.#open.set(order.request, order);
      for (const { job, attempt } of order.attempts)
        this.#highest.set(job, Math.max(attempt, this.#highest.get(job) ?? 0));
    }
    if (name === 'deletion-done') this.#open.delete(done.parse(body).request);
  }
}

/** An order was taken: it will be carried out, whatever happens to this process. */
export function deletionAskedFact({ request, attempts }: DeletionOrder): Fact {
  return {
    name: 'deletion-asked',
    body: { request, attempts: attempts.map(({ job, attempt }) => ({ job, attempt })) },
  };
}

/** Nothing of it is left here; the control plane is given this agent's signed word. */
export function deletionDoneFact({ request }: DeletionOrder, statement: Envelope): Fact {
  return {
    name: 'deletion-done',
    body: { request },
    queue: [{ name: 'deleted', body: { request, statement } }],
  };
}
