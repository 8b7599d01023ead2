import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { test, type TestContext } from 'node:test';
import { newId, silentLog, systemRng as rng, type AgentId } from '@ringfence/base';
import { systemClock as clock } from '@ringfence/base/platform';
import { until } from '@ringfence/base/until';
import {
  createLinkIdentity,
  expectKeys,
  linkHttpServer,
  payloadAgent,
  requestPayload,
  servePayload,
  type LinkIdentity,
  type PayloadAgent,
  type PayloadListener,
} from '@ringfence/client/payload-link';
import { TlsKey } from '@ringfence/crypto/certificate';
import { sha256Hex, type Digest } from '@ringfence/crypto/sign';
import { AggregatorLine } from './aggregator-line.ts';
import { FederationDesk, LARGEST_MESSAGE, type OpenDesk } from './federation-desk.ts';

const CONTRACT = sha256Hex(Buffer.from('contract'));
const OTHER = sha256Hex(Buffer.from('another contract'));
const MODEL = rng.bytes(300_000);
const never = new AbortController().signal;

interface Peer {
  readonly agent: AgentId;
  readonly identity: LinkIdentity;
  readonly dial: PayloadAgent;
  line(patience?: number): Promise<AggregatorLine>;
}

interface Place {
  readonly desk: FederationDesk;
  readonly listener: PayloadListener;
  readonly heard: string[];
  open(contract: Digest, peers: readonly Peer[]): OpenDesk;
  peer(): Promise<Peer>;
  /** Links of whoever holds `own`, so many at a time. */
  dialAs(own: LinkIdentity, links: number): PayloadAgent;
}

async function place(t: TestContext): Promise<Place> {
  const key = TlsKey.generate(rng);
  const identity = await createLinkIdentity({ key, clock, rng });
  const heard: string[] = [];
  const desk: FederationDesk = new FederationDesk({ clock, rng, onChanged: () => listener.recheck() });
  const server = linkHttpServer((request, response) => desk.handle(request, response));
  const listener: PayloadListener = servePayload({
    server,
    identity,
    admit: (peer) =>
      desk.admits(peer)
        ? { allow: true, peer: { kind: 'known', id: 'peer' } }
        : { allow: false, reasons: ['no-member'] },
    clock,
    rng,
  });
  t.after(() => listener.close(0));
  const lan = await listener.listenLan({ host: '127.0.0.1', port: 0 });
  const dialAs = (own: LinkIdentity, links: number): PayloadAgent => {
    const expect = expectKeys(key.publicKey);
    const dial = payloadAgent({ routes: [{ kind: 'lan', ...lan }], identity: own, expect, clock, links });
    t.after(() => dial.destroy());
    return dial;
  };
  return {
    desk,
    listener,
    heard,
    dialAs,
    open: (contract, peers) =>
      desk.open({
        contract,
        peers: peers.map(({ agent, identity: { key: tls } }) => ({ agent, tls: tls.publicKey })),
        onSession: (agent) => heard.push(`session ${agent}`),
        onMessage: (agent, bytes) => heard.push(`${agent} ${Buffer.from(bytes).toString('latin1').slice(0, 20)}`),
        model: (digest) => (digest === sha256Hex(MODEL) ? MODEL : undefined),
      }),
    peer: async () => {
      const own = await createLinkIdentity({ key: TlsKey.generate(rng), clock, rng });
      const dial = dialAs(own, 4);
      const line = (patience = 20_000): Promise<AggregatorLine> =>
        AggregatorLine.begin({ agent: dial, contract: CONTRACT, clock, log: silentLog, patience }, never);
      return { agent: newId('agent', rng), identity: own, dial, line };
    },
  };
}

const text = (value: string): Uint8Array => Buffer.from(value);

test('messages go both ways once and in order, over links that break between them', async (t) => {
  const at = await place(t);
  const peer = await at.peer();
  const open = at.open(CONTRACT, [peer]);
  const line = await peer.line();
  const sent = ['a', 'b', 'c', 'd', 'e', 'f'];
  for (const [index, word] of sent.entries()) {
    open.send(peer.agent, text(`to ${word}`));
    await Promise.all([
      line.send(text(word), never),
      line.next(never).then((bytes) => assert.equal(Buffer.from(bytes).toString(), `to ${word}`)),
    ]);
    // Every link that is not in use is cut: nothing of the session is lost.
    if (index % 2 === 0)
      for (const sockets of Object.values(peer.dial.freeSockets)) sockets?.forEach((socket) => socket.destroy());
  }
  assert.deepEqual(at.heard, [`session ${peer.agent}`, ...sent.map((word) => `${peer.agent} ${word}`)]);
});

test('a message whose answer was lost is taken once when it comes again', async (t) => {
  const at = await place(t);
  const peer = await at.peer();
  at.open(CONTRACT, [peer]);
  const begun = await requestPayload(peer.dial, { method: 'POST', path: `/v1/federations/${CONTRACT}/sessions` });
  const { session } = begun.body as { session: string };
  const post = (number: number) =>
    requestPayload(peer.dial, {
      method: 'POST',
      path: `/v1/federations/${CONTRACT}/${session}/messages/${number}`,
      body: { json: number },
    });
  assert.deepEqual([(await post(1)).status, (await post(1)).status, (await post(3)).status], [204, 204, 409]);
  assert.deepEqual(at.heard.slice(1), [`${peer.agent} 1`]);
});

test('a model arrives whole and is checked; another is not handed out', async (t) => {
  const at = await place(t);
  const peer = await at.peer();
  at.open(CONTRACT, [peer]);
  const line = await peer.line();
  assert.deepEqual(await line.model(sha256Hex(MODEL), MODEL.length, never), Uint8Array.from(MODEL));
  await assert.rejects(line.model(sha256Hex(MODEL), MODEL.length - 1, never), { code: 'too-large' });
  await assert.rejects(line.model(OTHER, 4, never), { code: 'session-over' });
});

test('a message above the limit is refused and the session goes on', async (t) => {
  const at = await place(t);
  const peer = await at.peer();
  at.open(CONTRACT, [peer]);
  const line = await peer.line();
  await assert.rejects(line.send(new Uint8Array(LARGEST_MESSAGE + 1), never), { code: 'bad-response' });
  await line.send(text('small'), never);
  assert.deepEqual(at.heard.slice(1), [`${peer.agent} small`]);
});

test('a key that no open contract names is cut, and again once its contract has closed', async (t) => {
  const at = await place(t);
  const [peer, stranger] = [await at.peer(), await at.peer()];
  const open = at.open(CONTRACT, [peer]);
  await assert.rejects(stranger.line(0), { code: 'link-refused' });
  const line = await peer.line(0);
  const waiting = assert.rejects(line.next(never));
  open.close();
  await waiting;
  await assert.rejects(peer.line(0), { code: 'link-refused' });
});

test('a peer of one contract sees nothing of another, nor anything else', async (t) => {
  const at = await place(t);
  const [peer, other] = [await at.peer(), await at.peer()];
  at.open(CONTRACT, [peer]);
  at.open(OTHER, [other]);
  const line = await peer.line();
  await assert.rejects(other.line(0), { code: 'peer-offline' });
  const ask = async (path: string, method: 'GET' | 'POST' = 'GET'): Promise<number> =>
    (await requestPayload(other.dial, { method, path })).status;
  const session = /[0-9a-f]{32}/.exec(JSON.stringify(line))?.[0] ?? '0'.repeat(32);
  for (const path of [
    `${CONTRACT}/${session}/inbox?after=0`,
    `${CONTRACT}/${session}/models/${sha256Hex(MODEL)}?from=0`,
    `${OTHER}/../${CONTRACT}/sessions`,
    `${CONTRACT}/sessions`,
    '',
  ])
    assert.equal(await ask(`/v1/federations/${path}`), 404, path);
  assert.equal(await ask(`/v1/federations/${OTHER}/${'0'.repeat(32)}/inbox?after=0`), 410);
});

test('a new session ends the one before with what waited in it', async (t) => {
  const at = await place(t);
  const peer = await at.peer();
  const open = at.open(CONTRACT, [peer]);
  const first = await peer.line();
  open.send(peer.agent, text('for the first'));
  const second = await peer.line();
  await assert.rejects(first.next(never), { code: 'session-over' });
  open.send(peer.agent, text('for the second'));
  assert.equal(Buffer.from(await second.next(never)).toString(), 'for the second');
});

test('who asks is present; who fetches nothing loses its session', async (t) => {
  const at = await place(t);
  const [peer, silent] = [await at.peer(), await at.peer()];
  const open = at.open(CONTRACT, [peer, silent]);
  assert.equal(open.send(peer.agent, text('x')), false);
  await peer.line();
  assert.deepEqual(open.present(60_000), [peer.agent]);
  let kept = 0;
  while (open.send(peer.agent, text('x'))) kept += 1;
  assert.equal(kept, 1_024);
  await until(() => !open.send(peer.agent, text('y')));
});

test('a peer has few messages read at once, however many it begins', async (t) => {
  const at = await place(t);
  const peer = await at.peer();
  at.open(CONTRACT, [peer]);
  const begun = await requestPayload(peer.dial, { method: 'POST', path: `/v1/federations/${CONTRACT}/sessions` });
  const { session } = begun.body as { session: string };
  const slow = new AbortController();
  const path = `/v1/federations/${CONTRACT}/${session}/messages/1`;
  const wide = at.dialAs(peer.identity, 8);
  const never = Array.from({ length: 4 }, () => {
    const stream = new Readable({ read: () => {} });
    stream.push('x');
    const body = { stream, length: 10 };
    return requestPayload(wide, { method: 'POST', path, body, signal: slow.signal });
  });
  const asked = async (): Promise<number> =>
    (await requestPayload(peer.dial, { method: 'POST', path, body: { json: 1 } })).status;
  await until(async () => (await asked()) === 503);
  slow.abort();
  await Promise.allSettled(never);
  await until(async () => (await asked()) === 204);
});
