import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { newId, silentLog, systemRng as rng, type AgentId } from '@ringfence/base';
import { makeFolder, systemClock as clock } from '@ringfence/base/platform';
import {
  createLinkIdentity,
  expectKeys,
  linkHttpServer,
  payloadAgent,
  servePayload,
  streamPayload,
} from '@ringfence/client/payload-link';
import { TlsKey } from '@ringfence/crypto/certificate';
import { foldKeyring, signHead } from '@ringfence/keyring';
import { linkApi } from '../api/link-api.ts';
import { keyringStatements } from '../attempt/keyring-statements.fixture.ts';
import { IDS, KEYS } from '../attempt/members.fixture.ts';
import { KeyringCopy } from '../link/keyring-copy.ts';
import { SealPrivateKey } from '@ringfence/crypto/open';
import { SigningKey } from '@ringfence/crypto/sign';
import { notAGateway } from '../gateway/member-api.ts';
import { replicaApi } from './replica-api.ts';
import { standIn } from './replica-stand-in.fixture.ts';
import { Replicas } from './replicas.ts';

const AGENT_TLS = TlsKey.generate(rng);

/** An agent with one replica; the custodian names `listed` as its gateways. */
async function agentWithReplica(t: TestContext, listed: { gateways: AgentId[]; asked: number }, headAge = 0) {
  const folder = mkdtempSync(join(tmpdir(), 'rf-replica-api-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  makeFolder(join(folder, 'link'));
  const keyring = keyringIn(join(folder, 'link'), headAge);
  const tell = async () => {
    listed.asked += 1;
    return { gateways: listed.gateways };
  };
  const replicas = new Replicas({ folder: join(folder, 'replicas'), tell, clock, log: silentLog });
  const stand = await standIn(t, (request, response) => {
    request.resume();
    response.end(`replica ${request.url}`);
  });
  const id = { job: newId('job', rng), attempt: 2 };
  const service = { port: 8_000, api: 'http', replicas: { min: 1, max: 1 } } as const;
  const replica = replicas.begin({ id, service, sensitivity: 'internal', connect: stand.open });
  while (!replica.takes || listed.asked === 0) await new Promise((resolve) => setImmediate(resolve));
  const identity = await createLinkIdentity({ key: TlsKey.generate(rng), clock, rng });
  const jobs = linkApi({
    jobs: (_, response) => response.end('jobs'),
    replicas: replicaApi({ replicas, keyring, clock }),
    members: notAGateway,
    federations: (_, response) => response.end('federations'),
  });
  const admit: Parameters<typeof servePayload>[0]['admit'] = (peer) => {
    const owner = keyring.keyring.byTlsKey(peer);
    return { allow: true, peer: owner === undefined ? { kind: 'unknown' } : { kind: 'known', id: owner.id } };
  };
  const listener = servePayload({ server: linkHttpServer(jobs), identity, admit, clock, rng });
  const lan = await listener.listenLan({ host: '127.0.0.1', port: 0 });
  t.after(() => {
    replicas.close();
    return listener.close(0);
  });
  const path = `/v1/replicas/${id.job}/${id.attempt}/a?b`;
  const ask = async (key: TlsKey, target = path) => {
    const caller = await createLinkIdentity({ key, clock, rng });
    const routes = [{ kind: 'lan', ...lan } as const];
    const agent = payloadAgent({ routes, identity: caller, expect: expectKeys(identity.key.publicKey), clock });
    const { status, headers, body } = await streamPayload(agent, { method: 'GET', path: target });
    let text = '';
    for await (const part of body) text += String(part);
    agent.destroy();
    return [status, headers['ringfence-refusal'], text];
  };
  return { ask, replica, id };
}

function keyringIn(folder: string, headAge: number): KeyringCopy {
  const keys = {
    sign: SigningKey.generate(rng).publicKey,
    tls: AGENT_TLS.publicKey,
    seal: SealPrivateKey.generate(rng).publicKey,
    allowProcess: true,
  };
  const statements = keyringStatements(keys);
  const at = (clock.now() - headAge) as ReturnType<typeof clock.now>;
  const head = signHead(foldKeyring(statements), { custodian: IDS.custodian, epoch: 1, at }, KEYS.enrolment);
  return KeyringCopy.create(folder, { statements, head, root: KEYS.root.publicKey, clock });
}

describe('a replica’s agent', () => {
  it('lets in the gateways that its custodian names, and asks again for one that it does not know', async (t) => {
    const listed = { gateways: [] as AgentId[], asked: 0 };
    const { ask, replica } = await agentWithReplica(t, listed);
    assert.deepEqual(await ask(AGENT_TLS), [503, 'not-here', '']);
    listed.gateways = [IDS.agent];
    await new Promise((resolve) => clock.after(1_050, () => resolve(undefined)));
    assert.deepEqual(await ask(AGENT_TLS), [200, undefined, 'replica /a?b']);
    await replica.drain(100);
    assert.deepEqual(await ask(AGENT_TLS), [503, 'draining', '']);
  });

  it('lets in no device, no stranger, and nobody by a keyring that is too old', async (t) => {
    const { ask } = await agentWithReplica(t, { gateways: [IDS.agent], asked: 0 });
    for (const key of [KEYS.deviceTls, TlsKey.generate(rng)])
      assert.deepEqual(await ask(key), [503, 'not-a-gateway', '']);
    const old = await agentWithReplica(t, { gateways: [IDS.agent], asked: 0 }, 25 * 3_600_000);
    assert.deepEqual(await old.ask(AGENT_TLS), [503, 'not-here', '']);
  });

  it('shows other agents replicas and nothing else', async (t) => {
    const { ask, id } = await agentWithReplica(t, { gateways: [IDS.agent], asked: 0 });
    for (const path of ['/v1/jobs/x', '/v1/gateway/metrics', '/v1/endpoints/e/x', '/v1/replicasx'])
      assert.equal((await ask(AGENT_TLS, path))[0], 404, path);
    assert.deepEqual(await ask(AGENT_TLS, '/v1/replicas'), [204, undefined, '']);
    assert.deepEqual(await ask(AGENT_TLS, `/v1/replicas/${id.job}/1/x`), [503, 'not-here', '']);
    assert.deepEqual(await ask(KEYS.deviceTls, '/v1/jobs/x'), [200, undefined, 'jobs']);
    for (const path of ['/v1/endpoints/e/x', '/v1/gateway/metrics']) {
      const [status, refusal] = await ask(KEYS.deviceTls, path);
      assert.deepEqual([status, refusal], [404, 'not-a-gateway'], path);
    }
  });
});
