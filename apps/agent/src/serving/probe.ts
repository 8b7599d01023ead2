import { request } from 'node:http';
import type { Duplex } from 'node:stream';
import { sleep, type Clock } from '@ringfence/base';
import type { Readiness } from '@ringfence/protocol/payload';

/** What says that a replica is ready. */
export interface ProbeOptions {
  /** A connection to its port; rejects while nothing listens there. */
  readonly connect: () => Promise<Duplex>;
  /** Path that answers 200; undefined when an open port is enough. */
  readonly path: string | undefined;
  readonly host: string;
}

const ANSWER_WITHIN_MS = 5_000;
const FIRST_DELAY_MS = 20;
const LONGEST_DELAY_MS = 500;

/** What came of asking: `ready`, or why not. */
export type Probed = Pick<Readiness, 'last' | 'status'>;

/** Asks again and again until the replica is ready, and tells each time what came of it; false when `signal` aborted first. */
export async function untilReady(
  probe: ProbeOptions,
  { clock, signal, onProbed }: { clock: Clock; signal: AbortSignal; onProbed: (probed: Probed) => void },
): Promise<boolean> {
  for (let delay = FIRST_DELAY_MS; !signal.aborted; delay = Math.min(delay * 1.3, LONGEST_DELAY_MS)) {
    const probed = await askOnce(probe, clock);
    if (!signal.aborted) onProbed(probed);
    if (probed.last === 'ready') return !signal.aborted;
    await sleep(clock, delay, signal);
  }
  return false;
}

/** How a replica stands now. */
async function askOnce({ connect, path, host }: ProbeOptions, clock: Clock): Promise<Probed> {
  let connection: Duplex;
  try {
    connection = await connect();
  } catch {
    return { last: 'no-connection' };
  }
  try {
    return path === undefined ? { last: 'ready' } : await answerOf({ connection, path, host }, clock);
  } finally {
    connection.on('error', () => {}).destroy();
  }
}

function answerOf(asked: { connection: Duplex; path: string; host: string }, clock: Clock): Promise<Probed> {
  const { connection, path, host } = asked;
  return new Promise((resolve) => {
    const outgoing = request({ createConnection: () => connection, path, headers: { host, connection: 'close' } });
    const settle = (probed: Probed): void => {
      cancel();
      outgoing.destroy();
      resolve(probed);
    };
    const cancel = clock.after(ANSWER_WITHIN_MS, () => settle({ last: 'no-answer' }));
    outgoing.on('response', ({ statusCode: status = 0 }) =>
      settle(status === 200 ? { last: 'ready' } : { last: 'status', status }),
    );
    outgoing.on('error', () => settle({ last: 'no-answer' }));
    outgoing.end();
  });
}
