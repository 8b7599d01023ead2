import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { errorFields, isId, type AgentId, type Clock, type JobId, type Log } from '@ringfence/base';
import { makeFolder, writeFileAtomic } from '@ringfence/base/platform';
import type { AttemptId } from '../attempt/attempt-machine.ts';

/** What a custodian is told of a replica. */
export type ReportedState = 'ready' | 'draining' | 'gone';

/** Tells the custodian, until it answers or `signal` aborts: which agents are gateways of the replica. */
export type TellCustodian = (
  report: AttemptId & { readonly state: ReportedState },
  signal: AbortSignal,
) => Promise<{ readonly gateways: readonly AgentId[] }>;

/** Who may forward requests to a replica, and when the custodian said so (monotonic milliseconds). */
export interface KnownGateways {
  readonly agents: ReadonlySet<string>;
  readonly at: number;
}

/** What a reporter works with; `folder` keeps which replicas have been reported and are not yet gone. */
export interface ReporterOptions {
  readonly folder: string;
  readonly tell: TellCustodian;
  readonly clock: Clock;
  readonly log: Log;
}

interface Reported {
  readonly id: AttemptId;
  state: ReportedState;
  /** The state that the custodian knows. */
  told: ReportedState | undefined;
  gateways: KnownGateways | undefined;
  /** Ends a telling that a newer state overtakes. */
  overtaken: AbortController;
  telling: Promise<void> | undefined;
}

const AGAIN_EVERY_MS = 20_000;

/** Tells the custodian the newest state of each replica until it knows, across restarts: a replica that was ready is `gone` in the end. */
export class ReplicaReporter {
  readonly #options: ReporterOptions;
  readonly #reported = new Map<string, Reported>();
  #cancelAgain: () => void;
  #closed = false;

  constructor(options: ReporterOptions) {
    this.#options = options;
    makeFolder(options.folder);
    this.#cancelAgain = options.clock.after(AGAIN_EVERY_MS, () => this.#again());
  }

  /** Reports `gone` for all that an earlier process left. */
  recover(): void {
    for (const name of readdirSync(this.#options.folder)) {
      const [job = '', attempt = ''] = name.split('.');
      if (isId('job', job) && /^\d{1,7}$/.test(attempt)) void this.report({ job, attempt: Number(attempt) }, 'gone');
    }
  }

  /** Reports a state; resolves when the custodian knows it, or a newer one has taken its place. */
  async report({ job, attempt }: AttemptId, state: ReportedState): Promise<void> {
    if (this.#closed) return;
    const key = keyOf(job, attempt);
    const known = this.#reported.get(key);
    // What never was ready needs no word of its end.
    if (known === undefined && state !== 'ready' && !existsSync(this.#pathOf(key))) return;
    const reported = known ?? this.#begin({ job, attempt }, key, state);
    reported.state = state;
    if (reported.told !== state) reported.overtaken.abort();
    await this.#tell(reported);
  }

  /** The gateways of a replica as the custodian named them last. */
  gatewaysOf({ job, attempt }: AttemptId): KnownGateways | undefined {
    return this.#reported.get(keyOf(job, attempt))?.gateways;
  }

  /** Asks the custodian again, now. */
  async refresh({ job, attempt }: AttemptId): Promise<void> {
    const reported = this.#reported.get(keyOf(job, attempt));
    if (reported === undefined) return;
    reported.told = undefined;
    await this.#tell(reported);
  }

  /** Stops telling; the next start goes on. */
  close(): void {
    this.#closed = true;
    this.#cancelAgain();
    for (const { overtaken } of this.#reported.values()) overtaken.abort();
  }

  #begin(id: AttemptId, key: string, state: ReportedState): Reported {
    writeFileAtomic(this.#pathOf(key), '');
    const overtaken = new AbortController();
    const begun: Reported = { id, state, told: undefined, gateways: undefined, overtaken, telling: undefined };
    this.#reported.set(key, begun);
    return begun;
  }

  #tell(reported: Reported): Promise<void> {
    reported.telling ??= this.#untilTold(reported).finally(() => (reported.telling = undefined));
    return reported.telling;
  }

  async #untilTold(reported: Reported): Promise<void> {
    const { tell, clock, log } = this.#options;
    while (!this.#closed && reported.told !== reported.state) {
      const { id, state } = reported;
      reported.overtaken = new AbortController();
      try {
        const { gateways } = await tell({ ...id, state }, reported.overtaken.signal);
        reported.gateways = { agents: new Set(gateways), at: clock.monotonic() };
      } catch (error) {
        if (this.#closed || reported.overtaken.signal.aborted) continue;
        // The custodian's no, or a week without it: nobody may forward to this replica.
        log.warn('replica.not-reported', { ...id, state, ...errorFields(error) });
        reported.gateways = undefined;
      }
      reported.told = state;
    }
    if (reported.told === 'gone') this.#forget(reported);
  }

  #forget({ id: { job, attempt } }: Reported): void {
    const key = keyOf(job, attempt);
    this.#reported.delete(key);
    rmSync(this.#pathOf(key), { force: true });
  }

  #again(): void {
    for (const { id, state } of this.#reported.values()) if (state === 'ready') void this.refresh(id);
    this.#cancelAgain = this.#options.clock.after(AGAIN_EVERY_MS, () => this.#again());
  }

  #pathOf(key: string): string {
    return join(this.#options.folder, key);
  }
}

function keyOf(job: JobId, attempt: number): string {
  return `${job}.${attempt}`;
}
