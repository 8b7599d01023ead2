import type { AgentId, JobId } from '@ringfence/base';
import { LeastUsed } from '@ringfence/policy/placement';

const MOST_KEPT = 10_000;

interface Ended {
  readonly job: JobId;
  readonly attempt: number;
  readonly agent: AgentId;
}

/**
 * Attempts whose agents said that they are over before anything was granted. A request for the grant may still be on its way then: granted
 * after the end, the attempt would wait for a word that was said already. A request does not outlive this process, so memory is enough.
 */
export class EndedUngranted {
  readonly #ended = new LeastUsed<string, true>(MOST_KEPT);

  /** Call with the job's row locked, where grants hold it too. */
  note(ended: Ended): void {
    this.#ended.set(keyOf(ended), true);
  }

  has(ended: Ended): boolean {
    return this.#ended.get(keyOf(ended)) === true;
  }
}

function keyOf({ job, attempt, agent }: Ended): string {
  return `${job} ${attempt} ${agent}`;
}
