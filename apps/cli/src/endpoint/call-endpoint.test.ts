import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { describe, test, type TestContext } from 'node:test';
import { newId, systemRng as rng } from '@ringfence/base';
import { systemClock as clock } from '@ringfence/base/platform';
import { createLinkIdentity, linkHttpServer, servePayload } from '@ringfence/client/payload-link';
import { TlsKey } from '@ringfence/crypto/certificate';
import type { EndpointRow } from '@ringfence/protocol/payload';
import type { CommandContext } from '../command.ts';
import type { Session } from '../session.ts';
import { agentsWord } from './agents-word.ts';
import { callEndpoint } from './call-endpoint.ts';

/** An agent that answers every call with 404, by its own word or as a service does. */
async function agentThat(t: TestContext, word: string | undefined): Promise<EndpointRow['gateways'][number]> {
  const identity = await createLinkIdentity({ key: TlsKey.generate(rng), clock, rng });
  const server = linkHttpServer((request, response) => {
    request.resume();
    if (word !== undefined) response.setHeader('ringfence-refusal', word);
    response.writeHead(404).end(`${request.url}`);
  });
  const admit = () => ({ allow: true, peer: { kind: 'unknown' } }) as const;
  const listener = servePayload({ server, identity, admit, clock, rng });
  t.after(() => listener.close(0));
  const { port } = await listener.listenLan({ host: '127.0.0.1', port: 0 });
  const route = { tls: identity.key.publicKey, relay: null, lan: `127.0.0.1:${port}` };
  return { agent: newId('agent', rng), listens: null, routes: [route] };
}

/** A gateway that nobody runs any more. */
async function nobody(): Promise<EndpointRow['gateways'][number]> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = address !== null && typeof address === 'object' ? address.port : 1;
  server.close();
  await once(server, 'close');
  const route = { tls: TlsKey.generate(rng).publicKey, relay: null, lan: `127.0.0.1:${port}` };
  return { agent: newId('agent', rng), listens: null, routes: [route] };
}

const READY: Partial<EndpointRow> = {
  ready: true,
  coming: null,
  scale: { min: 0, max: 2, manual: false },
  replicas: [{ job: newId('job', rng), revision: 1, state: 'ready' }],
};

async function call(
  gateways: EndpointRow['gateways'],
  over: Partial<EndpointRow> = {},
  note: (text: string) => void = assert.fail,
): Promise<{ status: number; own: string | undefined }> {
  const row = { name: 'echo', gateways, ...READY, ...over } as EndpointRow;
  const custodian = { endpoints: async () => ({ endpoints: [row], issuer: '' }) };
  const identity = await createLinkIdentity({ key: TlsKey.generate(rng), clock, rng });
  const of = { name: 'echo', path: '/x', method: 'GET', headers: {}, body: undefined } as const;
  let seen: { status: number; own: string | undefined } | undefined;
  const context = { clock, terminal: { note } } as unknown as CommandContext;
  await callEndpoint(context, { custodian, identity } as unknown as Session, of, async (answer) => {
    seen = { status: answer.status, own: agentsWord(answer) };
    for await (const _ of answer.body);
  });
  if (seen === undefined) throw new Error('nobody answered');
  return seen;
}

describe('a call of an endpoint', () => {
  test('passes over agents that are no gateways and gateways that are away, and takes a service’s 404 for what it is', async (t) => {
    const plain = await agentThat(t, 'not-a-gateway');
    const gateway = await agentThat(t, undefined);
    assert.deepEqual(await call([plain, await nobody(), gateway]), { status: 404, own: undefined });
  });

  test('says that it waits where a gateway holds it, and not where the endpoint rests', async (t) => {
    const gateway = await agentThat(t, undefined);
    const notes: string[] = [];
    const noting = (text: string) => void notes.push(text);
    await call([gateway], { replicas: [] }, noting);
    assert.equal(notes.length, 1);
    assert.match(notes[0] ?? '', /no replica of echo is ready: its gateway holds the call/);
    await call([gateway], { replicas: [], scale: { min: 0, max: 0, manual: true } });
    await call([gateway], { replicas: [], ready: false });
  });

  test('tells a gateway’s own word from its service’s', async (t) => {
    assert.deepEqual(await call([await agentThat(t, 'not-found')]), { status: 404, own: 'not-found' });
  });

  test('says that agents lack --gateway, or cannot be reached, when none is left', async (t) => {
    const plain = await agentThat(t, 'not-a-gateway');
    await assert.rejects(call([plain]), { code: 'no-gateway', message: /was started with --gateway$/ });
    await assert.rejects(call([plain, await nobody()]), { code: 'no-gateway', message: /no other gateway can be/ });
    await assert.rejects(call([await nobody()]), { code: 'no-gateway', message: /no gateway can be reached/ });
    await assert.rejects(call([]), { code: 'no-gateway', message: /no gateway serves callers yet/ });
  });
});
