import type { JobId } from '@ringfence/base';
import type { Digest } from '@ringfence/crypto/sign';

const MOST_REMEMBERED = 1_000;

/** Digests of the code of the newest jobs that asked: it never changes, and all of it has to be read. */
export class JobCodes {
  readonly #most: number;
  /** Undefined for a job without code. */
  readonly #known = new Map<JobId, Digest | undefined>();

  constructor(most: number = MOST_REMEMBERED) {
    this.#most = most;
  }

  /** Of `job`, by `read` the first time. */
  async of(job: JobId, read: () => Promise<Digest | undefined>): Promise<Digest | undefined> {
    if (this.#known.has(job)) return this.#known.get(job);
    const code = await read();
    const [oldest] = this.#known.keys();
    if (this.#known.size >= this.#most && oldest !== undefined) this.#known.delete(oldest);
    this.#known.set(job, code);
    return code;
  }
}
