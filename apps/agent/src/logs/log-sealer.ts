import { existsSync, rmSync } from 'node:fs';
import { errorFields } from '@ringfence/base';
import { writeFileAtomic } from '@ringfence/base/platform';
import { sealPack } from '@ringfence/client/pack';
import { DedupeKey } from '@ringfence/crypto/seal';
import { SEALED_LOG, SEALED_METRICS } from '@ringfence/protocol/payload';
import { metricLines } from '../api/send-metrics.ts';
import type { AttemptFolder } from '../attempt/attempt-folder.ts';
import { withCustodian } from '../attempt/with-custodian.ts';
import { readMetricFile } from '../job-metrics/metric-file.ts';
import type { LinkContext } from '../link/link-context.ts';
import { attemptsToSeal, clearMark, sealedMetricsPath, sealMark } from './log-to-seal.ts';

const WITHIN_MS = 86_400_000;

/** Seals the logs and metrics of attempts that are over to the custodian, one after the other, until each is there. */
export class LogSealer {
  readonly #context: LinkContext;
  readonly #signal: AbortSignal;
  #turn: Promise<void> = Promise.resolve();

  constructor(context: LinkContext, signal: AbortSignal) {
    this.#context = context;
    this.#signal = signal;
  }

  /** Takes up what earlier processes left; nothing of it runs any more. */
  recover(): void {
    for (const folder of attemptsToSeal(this.#context.machine.state)) this.seal(folder);
  }

  /** The attempt is over: its log goes to the custodian if the job wished so. */
  seal(folder: AttemptFolder): void {
    this.#turn = this.#turn
      .then(() => this.#seal(folder))
      .catch((error: unknown) => {
        // The note stays, and the next start tries again.
        this.#context.log.warn('log.not-sealed', { ...folder.id, ...errorFields(error) });
      });
  }

  /** Resolves once every log that was to be sealed before this call is at the custodian, or cannot be brought there. */
  settled(): Promise<void> {
    return this.#turn;
  }

  async #seal(folder: AttemptFolder): Promise<void> {
    const { link, rng, log } = this.#context;
    const mark = sealMark(folder);
    if (mark === undefined || mark.org !== link.org || this.#signal.aborted) return;
    if (!existsSync(folder.logPath)) return clearMark(folder);
    const within = { within: WITHIN_MS, signal: this.#signal };
    const entries = [SEALED_LOG, ...this.#metricsOf(folder)].map(
      (path) => ({ kind: 'file', path, executable: false }) as const,
    );
    const sealing = { folder: folder.path, entries, org: link.org, project: mark.project, rng, signal: this.#signal };
    // What arrived before a link was cut does not travel again.
    const going = { dedupeKey: DedupeKey.generate(rng), arrived: new Map() };
    const { pack, bytes } = await withCustodian(this.#context, within, (custodian) =>
      sealPack({ ...sealing, ...going, custodian }),
    );
    await withCustodian(this.#context, within, (custodian) => custodian.storeLog({ ...folder.id, pack, bytes }));
    clearMark(folder);
    rmSync(sealedMetricsPath(folder), { force: true });
    this.#context.machine.logQuota.over(folder);
    log.info('log.sealed', { ...folder.id, bytes });
  }

  /** Writes the metrics down as this agent would answer with them, which is what their readers know. */
  #metricsOf(folder: AttemptFolder): readonly string[] {
    const view = folder.about?.view;
    if (view === undefined || !existsSync(folder.metricsPath)) return [];
    const all = { since: 0, last: Number.MAX_SAFE_INTEGER };
    const lines = metricLines(readMetricFile(folder.metricsPath), { view, wish: all, clock: this.#context.clock });
    writeFileAtomic(sealedMetricsPath(folder), lines);
    this.#context.machine.logQuota.over(folder);
    return [SEALED_METRICS];
  }
}
