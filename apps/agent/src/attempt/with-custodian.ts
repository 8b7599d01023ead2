import { errorFields, sleep } from '@ringfence/base';
import { ApiRefusal } from '@ringfence/client/api';
import { ClientError } from '@ringfence/client/error';
import type { CustodianClient } from '@ringfence/client/custodian';
import type { LinkContext } from '../link/link-context.ts';

const FIRST_DELAY_MS = 100;
const LONGEST_DELAY_MS = 15_000;
/** What passes by itself: the custodian restarts, a link is cut. Its own refusals and a wrong peer do not. */
const PASSING: readonly string[] = [
  'link-broken',
  'link-refused',
  'peer-busy',
  'peer-offline',
  'peer-silent',
  'proxy-refused',
  'relay-refused',
  'timed-out',
  'unreachable',
];

/**
 * Asks the custodian until it answers, at most for `within` milliseconds; `ask` must bear a repetition. Throws what was thrown last, and
 * ClientError `aborted`.
 */
export function withCustodian<T>(
  { custodian, clock, log }: Pick<LinkContext, 'custodian' | 'clock' | 'log'>,
  within: { within: number; signal?: AbortSignal },
  ask: (custodian: CustodianClient) => Promise<T>,
): Promise<T> {
  return untilAnswered({ clock, log }, within, () => ask(custodian));
}

/** Asks any party of a payload link as {@link withCustodian} asks the custodian. */
export async function untilAnswered<T>(
  { clock, log }: Pick<LinkContext, 'clock' | 'log'>,
  { within, signal }: { within: number; signal?: AbortSignal },
  ask: () => Promise<T>,
): Promise<T> {
  const end = clock.monotonic() + within;
  for (let delay = FIRST_DELAY_MS; ; delay = Math.min(2 * delay, LONGEST_DELAY_MS)) {
    if (signal?.aborted === true) throw new ClientError('aborted', 'the attempt was ended');
    try {
      return await ask();
    } catch (error) {
      if (!isPassing(error) || clock.monotonic() + delay > end) throw error;
      log.debug('link.retry', errorFields(error));
      await sleep(clock, delay, signal);
    }
  }
}

/**
 * Whether the same request may well succeed a little later. A status of 500 or above is no answer to what was asked: the custodian's database
 * may be starting again, and what was asked for may even have been done.
 */
export function isPassing(error: unknown): boolean {
  // A certificate that the custodian takes no more is renewed with the next link.
  if (error instanceof ApiRefusal) return error.status >= 500 || error.code === 'certificate-lapsed';
  return error instanceof ClientError && PASSING.includes(error.code);
}
