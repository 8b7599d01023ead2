import { errorFields, sleep, type Clock, type Log } from '@ringfence/base';
import { ApiRefusal } from '@ringfence/client/api';
import type { CustodianClient } from '@ringfence/client/custodian';
import type { GatewayLoad, GatewayView } from '@ringfence/protocol/payload';

/** What following needs. */
export interface FollowOptions {
  readonly custodian: CustodianClient;
  readonly clock: Clock;
  readonly log: Log;
  readonly onView: (view: GatewayView) => void;
  /** The custodian says that this agent is no gateway, or no member, any more. */
  readonly onRefused: () => void;
  readonly load: () => GatewayLoad;
}

/** Follows until it is stopped. */
export interface Following {
  /** Reports the load at once: a request is held, or callers can come in from now on. */
  readonly reportNow: () => void;
  /** A request came: reports the load within a second. */
  readonly busy: () => void;
  readonly stop: () => void;
}

/** Not a member, not a gateway: a word of the custodian, which is not the same as none. */
const NO_GATEWAY: ReadonlySet<number> = new Set([401, 403]);
const FIRST_DELAY_MS = 250;
const LONGEST_DELAY_MS = 5_000;
const UNDER_LOAD_MS = 1_000;
const IDLE_MS = 20_000;
/** Many requests that are held at the same time are one report. */
const AT_ONCE_MS = 5;

/** Keeps hearing from the custodian what is served, and telling it how much is asked for. */
export function followCustodian(options: FollowOptions): Following {
  const stopped = new AbortController();
  void followViews(options, stopped.signal);
  const reports = new LoadReports(options, stopped.signal);
  return { reportNow: () => reports.soon(), busy: () => reports.busy(), stop: () => stopped.abort() };
}

async function followViews(
  { custodian, clock, log, onView, onRefused }: FollowOptions,
  signal: AbortSignal,
): Promise<void> {
  // Another number than any list has: the first answer comes at once.
  let seq = 0;
  let delay = FIRST_DELAY_MS;
  let refused = false;
  while (!signal.aborted) {
    try {
      const view = await custodian.gatewayView(seq);
      if (signal.aborted) return;
      ({ seq } = view);
      [delay, refused] = [FIRST_DELAY_MS, false];
      onView(view);
    } catch (error) {
      if (signal.aborted) return;
      const no = error instanceof ApiRefusal && error.status < 500;
      if (!refused) log.warn('gateway.not-told', errorFields(error));
      refused ||= no;
      if (no && NO_GATEWAY.has(error.status)) {
        seq = 0;
        onRefused();
      }
      await sleep(clock, delay, signal);
      delay = Math.min(2 * delay, LONGEST_DELAY_MS);
    }
  }
}

class LoadReports {
  readonly #options: FollowOptions;
  readonly #signal: AbortSignal;
  #cancel: () => void = () => {};
  #sending = false;
  #again = false;
  #idle = false;

  constructor(options: FollowOptions, signal: AbortSignal) {
    this.#options = options;
    this.#signal = signal;
    signal.addEventListener('abort', () => this.#cancel(), { once: true });
    this.#in(AT_ONCE_MS);
  }

  soon(): void {
    if (this.#sending) this.#again = true;
    else this.#in(AT_ONCE_MS);
  }

  busy(): void {
    if (!this.#idle) return;
    this.#idle = false;
    this.#in(UNDER_LOAD_MS);
  }

  #in(wait: number): void {
    this.#cancel();
    if (!this.#signal.aborted) this.#cancel = this.#options.clock.after(wait, () => void this.#send());
  }

  async #send(): Promise<void> {
    const { custodian, load, log } = this.#options;
    this.#sending = true;
    this.#idle = false;
    this.#again = false;
    const report = load();
    try {
      await custodian.gatewayLoad(report);
    } catch (error) {
      log.debug('gateway.load-not-told', errorFields(error));
    }
    this.#sending = false;
    const busy = report.endpoints.some(
      ({ inFlight, held, requestsPerSecond }) => inFlight + held + requestsPerSecond > 0,
    );
    this.#idle = !busy && !this.#again;
    this.#in(this.#again ? AT_ONCE_MS : busy ? UNDER_LOAD_MS : IDLE_MS);
  }
}
