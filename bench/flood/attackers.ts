// A process that floods a control plane until its standard input ends: silent connections, wrong sign-ins, handshakes.
import { connect, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { request, Agent } from 'node:https';
import { connect as connectTls } from 'node:tls';

import { SigningKey } from '@ringfence/crypto/sign';
import { systemRng } from '@ringfence/base';

/** What is sent, and where. */
export type FloodOptions = {
  readonly port: number;
  readonly ca: string;
  /** Connections that are kept open: half say nothing, half begin a request and send a byte of it a second. */
  readonly slow: number;
  readonly signInsPerS: number;
  readonly handshakesPerS: number;
};

/** What came of it so far. */
export type FloodState = {
  readonly slowOpen: number;
  readonly slowClosed: number;
  readonly signIns: number;
  readonly answers: Readonly<Record<string, number>>;
  readonly handshakes: number;
};

const TICK_MS = 20;
/** Addresses of this machine that are not the honest caller's. */
const ADDRESSES = 50;
let turn = 0;

function localAddress(): string {
  turn = (turn + 1) % ADDRESSES;
  return `127.0.1.${turn + 1}`;
}

const state = { slowOpen: 0, slowClosed: 0, signIns: 0, answers: {} as Record<string, number>, handshakes: 0 };

function plain(port: number): Socket {
  const socket = connect({ host: '127.0.0.1', port, localAddress: localAddress() });
  socket.on('error', () => {});
  return socket;
}

function hold(options: FloodOptions, drips: boolean): void {
  const { port, ca } = options;
  const socket: Socket = drips
    ? connectTls({ socket: plain(port), ca, servername: 'localhost', rejectUnauthorized: false })
    : plain(port);
  let dripping: NodeJS.Timeout | undefined;
  socket.once(drips ? 'secureConnect' : 'connect', () => {
    state.slowOpen += 1;
    if (!drips) return;
    socket.write('POST /v1/sign-in/password HTTP/1.1\r\nhost: localhost\r\nx-slow: ');
    dripping = setInterval(() => socket.write('x'), 1_000);
  });
  socket.on('error', () => {});
  socket.once('close', () => {
    clearInterval(dripping);
    if (state.slowOpen > 0) state.slowOpen -= 1;
    state.slowClosed += 1;
    setTimeout(() => hold(options, drips), 100);
  });
}

/** Signs in as nobody, from one connection of a few. */
function signIn({ port, ca }: FloodOptions, agent: Agent, publicKey: string): void {
  const body = JSON.stringify({ signInName: 'qwertyuiop', password: 'wrong-password-of-nobody', publicKey });
  const headers = {
    'content-type': 'application/json',
    'content-length': body.length,
    origin: `https://127.0.0.1:${port}`,
  };
  const outgoing = request({
    host: '127.0.0.1',
    localAddress: localAddress(),
    port,
    ca,
    servername: 'localhost',
    method: 'POST',
    path: '/v1/sign-in/password',
    agent,
    headers,
    rejectUnauthorized: false,
  });
  const end = (answer: string): void => {
    state.answers[answer] = (state.answers[answer] ?? 0) + 1;
  };
  outgoing.once('response', (response) => {
    response.resume();
    end(String(response.statusCode));
  });
  outgoing.once('error', () => end('cut'));
  outgoing.end(body);
  state.signIns += 1;
}

function handshake({ port, ca }: FloodOptions): void {
  const socket = connectTls({ socket: plain(port), ca, servername: 'localhost', rejectUnauthorized: false });
  socket.once('secureConnect', () => {
    state.handshakes += 1;
    socket.destroy();
  });
  socket.on('error', () => {});
}

/** Calls `act` so often a second, in small heaps. */
function atRate(perSecond: number, act: () => void): void {
  let owed = 0;
  setInterval(() => {
    owed = Math.min(owed + (perSecond * TICK_MS) / 1_000, perSecond);
    for (; owed >= 1; owed -= 1) act();
  }, TICK_MS);
}

function main(options: FloodOptions): void {
  const agent = new Agent({ keepAlive: true, maxSockets: 2 });
  const publicKey = SigningKey.generate(systemRng).publicKey;
  for (let at = 0; at < options.slow; at += 1)
    setTimeout(() => hold(options, at % 2 === 0), (at / options.slow) * 10_000);
  atRate(options.signInsPerS, () => signIn(options, agent, publicKey));
  atRate(options.handshakesPerS, () => handshake(options));
  setInterval(() => process.stdout.write(`${JSON.stringify(state)}\n`), 500);
}

createInterface(process.stdin)
  .once('line', (line) => main(JSON.parse(line) as FloodOptions))
  .once('close', () => process.exit());
