// A process of its own that is both ends of links through a relay: listeners, callers, and bytes from one to the other.
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { Agent } from 'node:https';
import { createSecureContext } from 'node:tls';
import { systemRng } from '@ringfence/base';
import {
  parseRelayMessage,
  proveListener,
  relayAddressOf,
  relayPathOf,
  type RelayMessage,
  type RelayRequest,
} from '@ringfence/client/relay-protocol';
import { TlsKey } from '@ringfence/crypto/certificate';
import { WebSocket } from 'ws';

/** What the parent asks; each ask is answered once, by what it counted. */
export type Ask =
  | { readonly kind: 'links'; readonly url: string; readonly caFile: string; readonly count: number }
  | { readonly kind: 'listen'; readonly url: string; readonly caFile: string; readonly count: number }
  | { readonly kind: 'stream'; readonly seconds: number }
  | { readonly kind: 'drop' };

/** Sockets that are open, and bytes that arrived at the takers' ends. */
export type Answer = { readonly open: number; readonly bytes: number };

const MESSAGE = Buffer.alloc(65_536, 7);
/** A sender waits while so many bytes of its own are not with the kernel. */
const AHEAD = 4 * MESSAGE.length;
const AT_ONCE = 16;

type Server = { readonly url: string; readonly caFile: string };

let contexts = new Map<string, Agent>();
let sockets: WebSocket[] = [];
let callers: WebSocket[] = [];
let bytes = 0;

function open({ url, caFile }: Server, request: RelayRequest): WebSocket {
  const agent =
    contexts.get(caFile) ??
    new Agent({ secureContext: createSecureContext({ ca: readFileSync(caFile), minVersion: 'TLSv1.3' }) });
  contexts.set(caFile, agent);
  const socket = new WebSocket(url.replace('https:', 'wss:') + relayPathOf(request), {
    agent,
    perMessageDeflate: false,
    // As the product's own ends: see core/client/src/payload-link/relay-socket.ts.
    generateMask: (mask: Buffer) => mask.fill(0),
  });
  socket.on('error', () => {});
  sockets.push(socket);
  return socket;
}

async function message(socket: WebSocket): Promise<RelayMessage | undefined> {
  const [data] = (await once(socket, 'message')) as [Buffer];
  return parseRelayMessage(data);
}

async function listen(server: Server) {
  const key = TlsKey.generate(systemRng);
  const socket = open(server, { kind: 'listen' });
  const asked = await message(socket);
  if (asked?.type !== 'challenge') throw new Error('the relay gave no challenge');
  socket.send(JSON.stringify(proveListener(key, { challenge: asked.challenge, host: new URL(server.url).host })));
  if ((await message(socket))?.type !== 'listening') throw new Error('the relay took no proof');
  return { socket, address: relayAddressOf(key.publicKey) };
}

async function link(server: Server, { socket, address }: Awaited<ReturnType<typeof listen>>): Promise<void> {
  const caller = open(server, { kind: 'dial', address });
  const rung = await message(socket);
  if (rung?.type !== 'incoming') throw new Error('the relay passed no call on');
  const taker = open(server, { kind: 'accept', ticket: rung.ticket });
  taker.on('message', (data: Buffer) => (bytes += data.length));
  for (const one of [caller, taker]) if (one.readyState !== WebSocket.OPEN) await once(one, 'open');
  callers.push(caller);
}

/** In small groups: a relay gives a handshake ten seconds. */
async function inGroups(count: number, one: () => Promise<unknown>): Promise<void> {
  for (let done = 0; done < count; done += AT_ONCE)
    await Promise.all(Array.from({ length: Math.min(AT_ONCE, count - done) }, one));
}

async function stream(seconds: number): Promise<void> {
  bytes = 0;
  const end = performance.now() + seconds * 1_000;
  await Promise.all(
    callers.map(async (caller) => {
      while (performance.now() < end && caller.readyState === WebSocket.OPEN)
        await new Promise<void>((resolve) => {
          caller.send(MESSAGE, { binary: true }, () => resolve());
          if (caller.bufferedAmount < AHEAD) resolve();
        });
    }),
  );
}

async function take(ask: Ask): Promise<void> {
  switch (ask.kind) {
    case 'links': {
      const listener = await listen(ask);
      for (let made = 0; made < ask.count; made += 1) await link(ask, listener);
      return;
    }
    case 'listen':
      return inGroups(ask.count, () => listen(ask));
    case 'stream':
      return stream(ask.seconds);
    case 'drop':
      for (const socket of sockets) socket.terminate();
      [sockets, callers, contexts] = [[], [], new Map()];
      return;
  }
}

process.on('message', (ask: Ask) => {
  void take(ask).then(() => {
    const opened = sockets.filter(({ readyState }) => readyState === WebSocket.OPEN).length;
    process.send?.({ open: opened, bytes } satisfies Answer);
  });
});
// A parent that died asks for nothing any more.
process.on('disconnect', () => process.exit());
