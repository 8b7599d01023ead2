import { errorFields, type DeviceId, type JobId } from '@ringfence/base';
import type { LinkContext } from '../link/link-context.ts';
import { withCustodian } from '../attempt/with-custodian.ts';

/** What a device wants to be shown of an attempt. */
export interface WantedStream {
  readonly job: JobId;
  readonly attempt: number;
  readonly device: DeviceId;
  readonly kind: 'logs' | 'metrics';
}

/** The owner's word on it as the custodian knows it; `unknown` while it cannot be asked, which is no yes (invariant 4). */
export type Leave = 'opened' | 'not-released' | 'unknown';

/** Who follows is asked about again after so long: a release that ends closes what it opened. */
const FRESH_MS = 10_000;
const ASK_WITHIN_MS = 5_000;
const MOST_KNOWN = 1_024;

/** Asks the custodian whether the owners of a job's data have released its log or metrics to a device (invariant 8). */
export class OwnersLeave {
  readonly #context: Pick<LinkContext, 'custodian' | 'clock' | 'log'>;
  /** When the last yes came, by what was wanted, in monotonic milliseconds. */
  readonly #opened = new Map<string, number>();

  constructor(context: Pick<LinkContext, 'custodian' | 'clock' | 'log'>) {
    this.#context = context;
  }

  async ask(wanted: WantedStream): Promise<Leave> {
    const { clock, log } = this.#context;
    const key = Object.values({ ...wanted }).join(' ');
    const at = this.#opened.get(key);
    if (at !== undefined && clock.monotonic() - at < FRESH_MS) return 'opened';
    this.#opened.delete(key);
    const asked = clock.monotonic();
    try {
      const answer = await withCustodian(this.#context, { within: ASK_WITHIN_MS }, (custodian) =>
        custodian.release.opening(wanted),
      );
      if (answer.result === 'refused') return 'not-released';
    } catch (error) {
      log.warn('release.not-asked', errorFields(error));
      return 'unknown';
    }
    if (this.#opened.size >= MOST_KNOWN) this.#opened.clear();
    this.#opened.set(key, asked);
    return 'opened';
  }
}
