// A process of its own, so that browsers' work is not counted as the control plane's: N kept TLS connections, each asks, reads the whole answer, and
// asks again. A signature is good for 60 s on a request that changes nothing, so each connection signs afresh every few seconds and not each time: the
// server checks every one all the same. Reads JSON (CallersOptions) from standard input; prints `{}` when counting begins, and one line of JSON (CallersResult) at the end.
import { readFileSync } from 'node:fs';
import { connect, type TLSSocket } from 'node:tls';
import { pathToFileURL } from 'node:url';
import { isId, systemRng, toBase64Url } from '@ringfence/base';
import { systemClock } from '@ringfence/base/platform';
import { signRequest } from '@ringfence/protocol/api';
import { keyOf } from '../control-plane/organisation.ts';

/** What to ask, as whom, and how long. */
export interface CallersOptions {
  readonly port: number;
  readonly ca: string;
  readonly path: string;
  /** The status that each answer has to have. */
  readonly status: number;
  readonly cookie: string;
  readonly session: string;
  readonly seed: string;
  readonly connections: number;
  readonly warmUpMs: number;
  readonly seconds: number;
}

/** How many answers came, after warming up, and how many were not as they had to be. */
export interface CallersResult {
  readonly requests: number;
  readonly failed: number;
}

const SIGN_EVERY_MS = 5_000;

async function callAll(options: CallersOptions): Promise<CallersResult> {
  const start = performance.now();
  const [begin, end] = [start + options.warmUpMs, start + options.warmUpMs + options.seconds * 1_000];
  let [requests, failed] = [0, 0];
  setTimeout(() => console.log('{}'), options.warmUpMs);
  const runs = Array.from({ length: options.connections }, async () => {
    const caller = new Caller(options);
    for (;;) {
      const well = await caller.ask();
      const now = performance.now();
      if (now >= end) break;
      if (!well) failed += 1;
      else if (now >= begin) requests += 1;
    }
    caller.close();
  });
  await Promise.all(runs);
  return { requests, failed };
}

/** One kept connection. */
class Caller {
  readonly #options: CallersOptions;
  readonly #socket: TLSSocket;
  #settle: (well: boolean) => void = () => {};
  #got = '';
  #request = '';
  #signedAt = -Infinity;

  constructor(options: CallersOptions) {
    this.#options = options;
    const { port, ca } = options;
    this.#socket = connect({ host: '127.0.0.1', port, ca, servername: '', checkServerIdentity: () => undefined });
    this.#socket.setNoDelay(true);
    this.#socket.on('data', (chunk: Buffer) => this.#take(chunk.toString('latin1')));
    this.#socket.on('error', () => this.#settle(false));
  }

  ask(): Promise<boolean> {
    return new Promise((resolve) => {
      this.#settle = resolve;
      this.#got = '';
      if (performance.now() - this.#signedAt > SIGN_EVERY_MS) this.#sign();
      this.#socket.write(this.#request);
    });
  }

  close(): void {
    this.#socket.destroy();
  }

  #take(text: string): void {
    this.#got += text;
    const head = this.#got.indexOf('\r\n\r\n');
    if (head < 0) return;
    const [, length] = /\r\ncontent-length: (\d+)\r\n/i.exec(this.#got) ?? [];
    if (this.#got.length < head + 4 + Number(length)) return;
    this.#settle(this.#got.startsWith(`HTTP/1.1 ${this.#options.status} `));
  }

  #sign(): void {
    const { path, cookie, session, seed } = this.#options;
    if (!isId('session', session)) throw new TypeError('that is no session');
    this.#signedAt = performance.now();
    const parameters = {
      created: Math.floor(systemClock.now() / 1_000),
      nonce: toBase64Url(systemRng.bytes(16)),
      signer: session,
    };
    const asked = { method: 'GET', path, query: '?', body: new Uint8Array() };
    const headers = { host: 'bench', cookie, ...signRequest(asked, keyOf(seed), parameters) };
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
    this.#request = `GET ${path} HTTP/1.1\r\n${lines.join('')}\r\n`;
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href)
  console.log(JSON.stringify(await callAll(JSON.parse(readFileSync(0, 'utf8')) as CallersOptions)));
