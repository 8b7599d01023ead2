import { request } from 'node:http';
import type { Duplex } from 'node:stream';
import { sleep, type Clock } from '@ringfence/base';

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

/** Asks again and again until the replica is ready; false when `signal` aborted first. */
export async function untilReady(probe: ProbeOptions, clock: Clock, signal: AbortSignal): Promise<boolean> {
  for (let delay = FIRST_DELAY_MS; !signal.aborted; delay = Math.min(delay * 1.3, LONGEST_DELAY_MS)) {
    if (await isReady(probe, clock)) return !signal.aborted;
    await sleep(clock, delay, signal);
  }
  return false;
}

/** Whether a replica is ready now. */
export async function isReady({ connect, path, host }: ProbeOptions, clock: Clock): Promise<boolean> {
  let connection: Duplex;
  try {
    connection = await connect();
  } catch {
    return false;
  }
  try {
    return path === undefined || (await answers200({ connection, path, host }, clock));
  } finally {
    connection.on('error', () => {}).destroy();
  }
}

function answers200(asked: { connection: Duplex; path: string; host: string }, clock: Clock): Promise<boolean> {
  const { connection, path, host } = asked;
  return new Promise((resolve) => {
    const outgoing = request({ createConnection: () => connection, path, headers: { host, connection: 'close' } });
    const settle = (ready: boolean): void => {
      cancel();
      outgoing.destroy();
      resolve(ready);
    };
    const cancel = clock.after(ANSWER_WITHIN_MS, () => settle(false));
    outgoing.on('response', (answer) => settle(answer.statusCode === 200));
    outgoing.on('error', () => settle(false));
    outgoing.end();
  });
}
