import { existsSync } from 'node:fs';
import { errorFields } from '@ringfence/base';
import { sealPack } from '@ringfence/client/pack';
import { DedupeKey } from '@ringfence/crypto/seal';
import type { AttemptFolder } from '../attempt/attempt-folder.ts';
import { withCustodian } from '../attempt/with-custodian.ts';
import type { LinkContext } from '../link/link-context.ts';
import { attemptsToSeal, clearMark, sealMark } from './log-to-seal.ts';

const WITHIN_MS = 86_400_000;

/** Seals the logs of attempts that are over to the custodian, one after the other, until each is there. */
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

  async #seal(folder: AttemptFolder): Promise<void> {
    const { link, rng, log } = this.#context;
    const mark = sealMark(folder);
    if (mark === undefined || mark.org !== link.org || this.#signal.aborted) return;
    if (!existsSync(folder.logPath)) return clearMark(folder);
    const within = { within: WITHIN_MS, signal: this.#signal };
    const entries = [{ kind: 'file', path: 'log.jsonl', executable: false }] as const;
    const sealing = { folder: folder.path, entries, org: link.org, project: mark.project, rng, signal: this.#signal };
    // What arrived before a link was cut does not travel again.
    const going = { dedupeKey: DedupeKey.generate(rng), arrived: new Map() };
    const { pack, bytes } = await withCustodian(this.#context, within, (custodian) =>
      sealPack({ ...sealing, ...going, custodian }),
    );
    await withCustodian(this.#context, within, (custodian) => custodian.storeLog({ ...folder.id, pack, bytes }));
    clearMark(folder);
    log.info('log.sealed', { ...folder.id, bytes });
  }
}
