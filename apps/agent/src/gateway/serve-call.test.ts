import assert from 'node:assert/strict';
import { it } from 'node:test';
import { newId, systemRng as rng } from '@ringfence/base';
import { systemClock as clock } from '@ringfence/base/platform';
import {
  createLinkIdentity,
  expectKeys,
  linkHttpServer,
  payloadAgent,
  requestPayload,
  servePayload,
} from '@ringfence/client/payload-link';
import { TlsKey } from '@ringfence/crypto/certificate';
import { BodyRoom } from './body-room.ts';
import { serveCall } from './serve-call.ts';
import { LISTED, READY_REPLICA } from './listed-endpoint.fixture.ts';
import { ServedEndpoint } from './served-endpoint.ts';

it('lets members take turns when their requests wait, as it does tokens', async (t) => {
  const order: string[] = [];
  let onHeld = (): void => {};
  const endpoint = new ServedEndpoint(LISTED, {
    clock,
    draw: () => 0,
    findRoad: () => ({
      most: 1,
      send: ({ path }, response) => {
        order.push(path);
        response.writeHead(200).end();
        return Promise.resolve('answered');
      },
    }),
    onHeld: () => onHeld(),
  });
  t.after(() => endpoint.close());
  const room = new BodyRoom();
  const server = linkHttpServer((request, response) => {
    const path = request.url ?? '';
    void serveCall({ request, response, endpoint, path, token: undefined, room, clock });
  });
  const own = TlsKey.generate(rng);
  const identity = await createLinkIdentity({ key: own, clock, rng });
  const admit = () => ({ allow: true, peer: { kind: 'known', id: newId('device', rng) } }) as const;
  const listener = servePayload({ server, identity, admit, clock, rng });
  t.after(() => listener.close(0));
  const { port } = await listener.listenLan({ host: '127.0.0.1', port: 0 });
  const member = async () => {
    const identityOf = await createLinkIdentity({ key: TlsKey.generate(rng), clock, rng });
    const routes = [{ kind: 'lan', host: '127.0.0.1', port }] as const;
    const agent = payloadAgent({ routes, identity: identityOf, expect: expectKeys(own.publicKey), clock });
    t.after(() => agent.destroy());
    return agent;
  };
  const [one, two] = [await member(), await member()];
  const answers: Promise<{ readonly status: number }>[] = [];
  for (const [agent, path] of [
    [one, '/one/1'],
    [one, '/one/2'],
    [one, '/one/3'],
    [two, '/two/1'],
  ] as const) {
    const waits = new Promise<void>((resolve) => (onHeld = resolve));
    answers.push(requestPayload(agent, { method: 'GET', path }));
    await waits;
  }
  endpoint.update({ ...LISTED, replicas: [READY_REPLICA] });
  for (const { status } of await Promise.all(answers)) assert.equal(status, 200);
  assert.deepEqual(order, ['/one/1', '/two/1', '/one/2', '/one/3']);
});
