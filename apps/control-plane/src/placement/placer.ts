import { errorFields } from '@ringfence/base';
import type { Subscription } from '@ringfence/store';
import { PLACE_CHANNEL } from '../jobs/change-job.ts';
import type { ControlPlaneContext } from '../jobs/control-plane-context.ts';
import { expireJobs, expireLeases, forgetNonces } from '../jobs/lease-watch.ts';
import { placeJob } from './place-job.ts';

const WATCH_MS = 1_000;
const MOST_AT_ONCE = 500;

/** Places waiting jobs while this replica holds the term: when somebody notifies, and now and then. */
export class Placer {
  readonly #context: ControlPlaneContext;
  #subscription: Subscription | undefined;
  #cancelWatch: (() => void) | undefined;
  #running: Promise<void> | undefined;
  #again = false;
  #closed = false;

  constructor(context: ControlPlaneContext) {
    this.#context = context;
  }

  /** Begins; the term decides whether anything happens. */
  async start(): Promise<void> {
    this.#subscription = this.#context.store.listen(PLACE_CHANNEL, () => this.wake());
    await this.#context.term.start(() => this.wake());
    this.#watch();
  }

  /** Looks at the waiting jobs soon; calls while it looks make it look once more. */
  wake(): void {
    this.#again = true;
    this.#running ??= this.#run().finally(() => {
      this.#running = undefined;
    });
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#subscription?.close();
    this.#cancelWatch?.();
    await this.#running;
    await this.#context.term.close();
  }

  async #run(): Promise<void> {
    while (this.#again && !this.#closed && this.#context.term.current !== undefined) {
      this.#again = false;
      await this.#placeAll().catch((error: unknown) => this.#context.log.warn('placer.failed', errorFields(error)));
    }
  }

  async #placeAll(): Promise<void> {
    const waiting = await this.#context.store.withSystem('waiting-jobs', (tx) =>
      tx
        .selectFrom('job')
        .select(['org', 'job'])
        .where('state', '=', 'queued')
        .orderBy('priority', 'desc')
        .orderBy('submitted_at')
        .limit(MOST_AT_ONCE)
        .execute(),
    );
    for (const { org, job } of waiting) {
      if (this.#closed) return;
      await placeJob(this.#context, org, job);
    }
  }

  #watch(): void {
    this.#cancelWatch = this.#context.clock.after(WATCH_MS, () => {
      void this.#sweep().finally(() => {
        if (!this.#closed) this.#watch();
      });
    });
  }

  async #sweep(): Promise<void> {
    if (this.#context.term.current === undefined) return;
    try {
      await expireLeases(this.#context);
      await expireJobs(this.#context);
      await forgetNonces(this.#context);
    } catch (error) {
      this.#context.log.warn('placer.sweep_failed', errorFields(error));
    }
  }
}
