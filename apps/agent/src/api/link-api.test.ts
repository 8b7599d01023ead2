import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newId, systemRng as rng } from '@ringfence/base';
import { systemClock as clock } from '@ringfence/base/platform';
import {
  createLinkIdentity,
  expectKeys,
  linkHttpServer,
  payloadAgent,
  requestPayload,
  servePayload,
  type PeerName,
} from '@ringfence/client/payload-link';
import { TlsKey } from '@ringfence/crypto/certificate';
import { FEDERATION_PEER } from '../federation/transport/federation-desk.ts';
import { linkApi } from './link-api.ts';

/** What each kind of peer reaches, by who answers. */
const PATHS = [
  '/',
  '/v1/jobs/job_x',
  '/v1/jobs/job_x/logs',
  '/v1/jobs/job_x/enter?attempt=1',
  '/v1/index',
  '/v1/endpoints',
  '/v1/replicas',
  '/v1/replicas/job_x/1/',
  '/v1/federation',
  '/v1/federations',
];

test('a peer of a contract reaches federations and nothing else of an agent', async (t) => {
  const key = TlsKey.generate(rng);
  const identity = await createLinkIdentity({ key, clock, rng });
  let peer: PeerName = FEDERATION_PEER;
  const reached: string[] = [];
  const answers = (name: string): Parameters<typeof linkApi>[0]['jobs'] => {
    return (request, response) => {
      request.resume();
      reached.push(`${name} ${request.url}`);
      response.end();
    };
  };
  const handlers = {
    jobs: answers('jobs'),
    replicas: answers('replicas'),
    members: answers('members'),
    federations: answers('federations'),
  };
  const server = linkHttpServer(linkApi(handlers));
  const listener = servePayload({ server, identity, admit: () => ({ allow: true, peer }), clock, rng });
  t.after(() => listener.close(0));
  const lan = await listener.listenLan({ host: '127.0.0.1', port: 0 });
  const ask = async (method: 'GET' | 'POST', path: string): Promise<number> => {
    const own = await createLinkIdentity({ key: TlsKey.generate(rng), clock, rng });
    const agent = payloadAgent({
      routes: [{ kind: 'lan', ...lan }],
      identity: own,
      expect: expectKeys(key.publicKey),
      clock,
    });
    try {
      return (await requestPayload(agent, { method, path })).status;
    } finally {
      agent.destroy();
    }
  };
  for (const path of PATHS)
    for (const method of ['GET', 'POST'] as const) assert.equal(await ask(method, path), 404, `${method} ${path}`);
  assert.deepEqual(reached, []);
  await ask('POST', '/v1/federations/x/sessions');
  assert.deepEqual(reached, ['federations /v1/federations/x/sessions']);
  // An agent of the organisation itself reaches replicas beside them, and a device the rest.
  peer = { kind: 'known', id: newId('agent', rng) };
  await ask('GET', '/v1/replicas');
  assert.equal(await ask('GET', '/v1/jobs/job_x'), 404);
  peer = { kind: 'known', id: newId('device', rng) };
  await ask('GET', '/v1/jobs/job_x');
  assert.deepEqual(reached.slice(1), ['replicas /v1/replicas', 'jobs /v1/jobs/job_x']);
});
