// A process of its own, so that callers' work is not counted as the gateway's: N connections, each asks, reads the whole answer, and asks again.
// Reads JSON (CallersOptions) from standard input; prints one line of JSON (CallersResult).
import { readFileSync } from 'node:fs';
import { connect as connectPlain, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { pathToFileURL } from 'node:url';
import { percentile } from '../measure.ts';

/** Whom to call, and how. */
export type CallersOptions = {
  port: number;
  path: string;
  /** Undefined: plain HTTP. */
  ca?: string;
  token?: string;
  connections: number;
  /** Requests a second, all together; undefined: each connection asks as soon as it has its answer. */
  perSecond?: number;
  seconds: number;
};

/** What came of it: `all` counts from the first connection, the rest after warming up. Times in milliseconds from when a request was due. */
export type CallersResult = {
  all: number;
  requests: number;
  failed: number;
  perSecond: number;
  p50: number;
  p99: number;
};

const WARM_UP_MS = 1_500;
const BODY = 'ok\n';

async function callAll(options: CallersOptions): Promise<CallersResult> {
  const { connections, perSecond, seconds } = options;
  const start = performance.now();
  const [from, end] = [start + WARM_UP_MS, start + WARM_UP_MS + seconds * 1_000];
  const times: number[] = [];
  let [all, failed] = [0, 0];
  const gap = perSecond === undefined ? 0 : (connections / perSecond) * 1_000;
  const runs = Array.from({ length: connections }, async (_, index) => {
    const caller = new Caller(options);
    let due = start + (gap * index) / connections;
    for (;;) {
      const now = performance.now();
      if (now >= end) break;
      if (gap > 0 && due > now) await new Promise((resolve) => setTimeout(resolve, due - now));
      const begun = gap > 0 ? due : performance.now();
      const well = await caller.ask();
      const done = performance.now();
      all += 1;
      if (!well) failed += 1;
      else if (begun >= from && done < end) times.push(done - begun);
      due += gap;
    }
    caller.close();
  });
  await Promise.all(runs);
  const [p50, p99] = [percentile(times, 0.5), percentile(times, 0.99)];
  return { all, requests: times.length, failed, perSecond: times.length / seconds, p50, p99 };
}

/** One kept connection. */
class Caller {
  readonly #request: string;
  readonly #options: CallersOptions;
  #socket: Socket | undefined;
  #settle: (well: boolean) => void = () => {};
  #got = '';

  constructor(options: CallersOptions) {
    const { path, token } = options;
    const authorization = token === undefined ? '' : `authorization: Bearer ${token}\r\n`;
    this.#request = `GET ${path} HTTP/1.1\r\nhost: bench\r\naccept: */*\r\n${authorization}\r\n`;
    this.#options = options;
  }

  ask(): Promise<boolean> {
    return new Promise((resolve) => {
      this.#settle = resolve;
      this.#got = '';
      this.#socket ??= this.#connect();
      this.#socket.write(this.#request);
    });
  }

  close(): void {
    this.#socket?.destroy();
  }

  #connect(): Socket {
    const { port, ca } = this.#options;
    const at = { host: '127.0.0.1', port };
    const socket =
      ca === undefined ? connectPlain({ ...at, noDelay: true }) : connectTls({ ...at, ca, servername: '' });
    socket.on('data', (chunk: Buffer) => {
      this.#got += chunk.toString('latin1');
      if (this.#got.endsWith(BODY)) this.#settle(this.#got.startsWith('HTTP/1.1 200'));
    });
    const lost = (): void => {
      this.#socket = undefined;
      this.#settle(false);
    };
    socket.on('error', lost).on('close', lost);
    return socket;
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href)
  console.log(JSON.stringify(await callAll(JSON.parse(readFileSync(0, 'utf8')) as CallersOptions)));
