import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { after, before, test } from 'node:test';
import { epochMs, utf8, type JobId } from '@ringfence/base';
import { systemClock as clock } from '@ringfence/base/platform';
import { until } from '@ringfence/base/until';
import { createCertificateRequest } from '@ringfence/crypto/certificate';
import { sha256Hex } from '@ringfence/crypto/sign';
import { endpointHost, type ServiceSpec } from '@ringfence/protocol/payload';
import {
  ask,
  depositTestJob,
  grantBody,
  joinRig,
  stoppedBy,
  type TestAgent,
  type TestJob,
} from '../fixtures/agent.fixture.ts';
import { startControlPlaneDouble, type ControlPlaneDouble } from '../fixtures/control-plane-double.fixture.ts';
import { startRig, type CustodianRig } from '../fixtures/custodian-rig.fixture.ts';
import { claimRig, type TestOrganisation } from '../fixtures/organisation.fixture.ts';

let rig: CustodianRig;
let controlPlane: ControlPlaneDouble;
let organisation: TestOrganisation;
let agent: TestAgent;
let other: TestAgent;
before(async () => {
  [rig, controlPlane] = await Promise.all([startRig(), startControlPlaneDouble()]);
  organisation = await claimRig(rig, controlPlane);
  agent = await joinRig(rig, organisation, 'node-1');
  other = await joinRig(rig, organisation, 'node-2');
});
after(async () => {
  await rig.close();
  await controlPlane.close();
});

const SERVICE: ServiceSpec = { port: 8_000, api: 'http', replicas: { min: 1, max: 2 } };

async function launch(name: string, slots = 2): Promise<TestJob[]> {
  const jobs: TestJob[] = [];
  while (jobs.length < slots)
    jobs.push(await depositTestJob(rig, organisation, { type: 'serve', onPartition: 'keep', name, service: SERVICE }));
  await organisation.client.registerEndpoint({ name, service: SERVICE, jobs: jobs.map(({ body }) => body.job) });
  return jobs;
}

/** What the control plane was told last of these jobs. */
async function told(jobs: readonly TestJob[]): Promise<string[]> {
  const rows = await rig.custodian.context.store.withOrg(organisation.org, (tx) =>
    tx.selectFrom('endpoint_slot').select(['job', 'told']).execute(),
  );
  return jobs.flatMap(({ body }, slot) => {
    const last = rows.find(({ job }) => job === body.job)?.told ?? null;
    return last === null ? [] : [`${slot} ${last}`];
  });
}

async function becomeReady(made: TestJob | undefined, attempt: number): Promise<void> {
  assert.ok(made);
  assert.equal((await ask(agent, grantBody(controlPlane, agent, made, { attempt }))).result, 'granted');
  await agent.client.reportReplica({ job: made.body.job, attempt, state: 'ready' });
}

async function row(name: string) {
  return (await organisation.client.endpoints()).endpoints.find((endpoint) => endpoint.name === name);
}

test('a first revision is wanted, becomes current with its first ready replica, and gateways learn of it at once', async () => {
  const jobs = await launch('first');
  await until(async () => (await told(jobs)).join() === '0 wanted', 'one replica is wanted');
  await assert.rejects(agent.client.gatewayView(-1), { code: 'not-authorised' });
  await organisation.client.allowGateway(agent.id, true);
  const before = await agent.client.gatewayView(-1);
  assert.deepEqual(before.endpoints.find(({ name }) => name === 'first')?.replicas, []);
  const next = agent.client.gatewayView(before.seq);
  const { job } = jobs[0]?.body ?? {};
  assert.ok(job);
  await assert.rejects(agent.client.reportReplica({ job, attempt: 1, state: 'ready' }), { code: 'not-found' });
  await becomeReady(jobs[0], 1);
  await assert.rejects(other.client.reportReplica({ job, attempt: 1, state: 'gone' }), { code: 'not-found' });
  assert.notEqual((await next).seq, before.seq);
  await until(async () => (await row('first'))?.ready === true, 'the revision is current');
  const shown = (await agent.client.gatewayView(-1)).endpoints.find(({ name }) => name === 'first');
  assert.deepEqual(
    shown?.replicas.map((replica) => [replica.job, replica.attempt, replica.agent, replica.state]),
    [[job, 1, agent.id, 'ready']],
  );
  await agent.client.stopped(stoppedBy(agent, jobs[0] as TestJob, 1, 'interrupted'));
  const gone = (await agent.client.gatewayView(-1)).endpoints.find(({ name }) => name === 'first');
  assert.deepEqual(gone?.replicas, [], 'a signed word that it stopped counts more than `ready`');
  await assert.rejects(agent.client.reportReplica({ job, attempt: 1, state: 'ready' }), { code: 'conflict' });
  await organisation.client.allowGateway(agent.id, false);
});

test('the next revision takes over when it is ready; the old one ends for good and gets no grant any more', async () => {
  const old = await launch('rolling');
  await until(async () => (await told(old)).length === 1, 'the first is wanted');
  await becomeReady(old[0], 1);
  await until(async () => (await row('rolling'))?.ready === true, 'the first is current');
  const fresh = await launch('rolling');
  await until(async () => (await told(fresh)).join() === '0 wanted', 'the second is wanted');
  assert.deepEqual([(await row('rolling'))?.revision, (await row('rolling'))?.coming], [1, 2]);
  assert.deepEqual(await told(old), ['0 wanted'], 'the first goes on until then');
  await organisation.client.allowGateway(agent.id, true);
  const listed = await agent.client.gatewayView(-1);
  void agent.client.gatewayView(listed.seq).catch(() => undefined);
  await becomeReady(fresh[0], 1);
  await until(async () => (await row('rolling'))?.revision === 2, 'the second is current');
  assert.equal((await told(old))[0], '0 wanted', 'a gateway that may still send to the first holds its end up');
  const newest = await agent.client.gatewayView(listed.seq);
  assert.deepEqual(
    newest.endpoints.find(({ name }) => name === 'rolling')?.replicas.map(({ job }) => job),
    [fresh[0]?.body.job],
  );
  void agent.client.gatewayView(newest.seq).catch(() => undefined);
  await until(async () => (await told(old)).join() === '0 final,1 final', 'both slots end');
  assert.deepEqual([(await row('rolling'))?.revision, (await row('rolling'))?.coming], [2, null]);
  await agent.client.stopped(stoppedBy(agent, old[0] as TestJob, 1, 'stopped'));
  const late = await ask(agent, grantBody(controlPlane, agent, old[0] as TestJob, { attempt: 2 }));
  assert.deepEqual(late, { result: 'refused', reason: 'closed' });
  await organisation.client.allowGateway(agent.id, false);
});

test('a person scales, and removes for good', async () => {
  const jobs = await launch('scaled');
  await organisation.client.scaleEndpoint('scaled', 2);
  await until(async () => (await told(jobs)).length === 2, 'both are wanted');
  await becomeReady(jobs[0], 1);
  await becomeReady(jobs[1], 1);
  await organisation.client.scaleEndpoint('scaled', 1);
  await until(async () => (await told(jobs)).includes('1 parked'), 'the second is parked');
  await organisation.client.removeEndpoint('scaled');
  await until(async () => (await told(jobs)).filter((word) => word.endsWith('final')).length === 2, 'both end');
  assert.equal(await row('scaled'), undefined);
  await assert.rejects(organisation.client.scaleEndpoint('scaled', 1), { code: 'not-found' });
  const again = await launch('scaled');
  await until(async () => (await told(again)).join() === '0 wanted', 'its name is free');
});

test('jobs of another service or twice the same make no endpoint; the same again changes nothing', async () => {
  const jobs = await launch('strict');
  const ids = jobs.map(({ body }) => body.job);
  const register = (request: Partial<Parameters<typeof organisation.client.registerEndpoint>[0]>) =>
    organisation.client.registerEndpoint({ name: 'strict', service: SERVICE, jobs: ids, ...request });
  await register({});
  assert.deepEqual((await row('strict'))?.replicas.length, 2);
  await assert.rejects(register({ service: { ...SERVICE, port: 9_000 } }), { code: 'bad-statement' });
  await assert.rejects(register({ name: 'stolen' }), { code: 'bad-statement' });
  await assert.rejects(register({ jobs: [ids[0], ids[0]] as JobId[] }), { code: 'bad-request' });
  const train = await depositTestJob(rig, organisation, {});
  await assert.rejects(register({ jobs: [train.body.job, train.body.job] }), { code: 'bad-request' });
});

test('a token is shown once, rests as its digest, and its revocation wakes the gateways', async () => {
  await launch('guarded');
  await organisation.client.allowGateway(agent.id, true);
  const expires = epochMs(clock.now() + 3_600_000);
  const made = await organisation.client.mintToken('guarded', {
    name: 'app',
    expires,
    limits: { requestsPerMinute: 5 },
  });
  await assert.rejects(organisation.client.mintToken('guarded', { name: 'app', expires, limits: {} }), {
    code: 'conflict',
  });
  const view = await agent.client.gatewayView(-1);
  const listed = view.endpoints.find(({ name }) => name === 'guarded')?.tokens;
  assert.deepEqual(listed, [{ digest: sha256Hex(utf8(made.token)), expires, limits: { requestsPerMinute: 5 } }]);
  const rows = await rig.custodian.context.store.withOrg(organisation.org, (tx) =>
    tx.selectFrom('endpoint_token').selectAll().execute(),
  );
  assert.ok(!JSON.stringify(rows).includes(made.token));
  let { seq } = view;
  const woken = (async () => {
    for (;;) {
      const next = await agent.client.gatewayView(seq);
      ({ seq } = next);
      if (next.endpoints.find(({ name }) => name === 'guarded')?.tokens.length === 0) return;
    }
  })();
  await organisation.client.revokeToken('guarded', 'app');
  await woken;
  await assert.rejects(organisation.client.revokeToken('guarded', 'app'), { code: 'not-found' });
});

test('a gateway gets a day’s certificate for all endpoints from an issuer that stays over a restart and can be followed by another', async () => {
  await launch('certified');
  const endpoint = (await row('certified'))?.endpoint;
  assert.ok(endpoint);
  await organisation.client.allowGateway(agent.id, true);
  const { requestPem } = await createCertificateRequest(['127.0.0.1']);
  const first = await agent.client.gatewayCertificate({ request: requestPem });
  const { issuer } = await organisation.client.endpoints();
  const leaf = new X509Certificate(first.chain);
  assert.ok(leaf.verify(new X509Certificate(issuer).publicKey));
  assert.equal(leaf.checkHost(endpointHost(endpoint)), endpointHost(endpoint));
  assert.equal(leaf.checkIP('127.0.0.1'), '127.0.0.1');
  assert.ok(first.notAfter <= clock.now() + 86_400_000);
  const greedy = await createCertificateRequest(['end-x.endpoint.ringfence.internal']);
  await assert.rejects(agent.client.gatewayCertificate({ request: greedy.requestPem }), { code: 'bad-request' });
  await assert.rejects(other.client.gatewayCertificate({ request: requestPem }), { code: 'not-authorised' });
  const rotated = await organisation.client.rotateIssuer();
  assert.ok(rotated.issuer.startsWith(issuer), 'the one that issues now is listed first');
  assert.notEqual(rotated.issuer, issuer);
  await assert.rejects(organisation.client.rotateIssuer(), { code: 'conflict' });
  const second = await agent.client.gatewayCertificate({ request: requestPem });
  assert.ok(new X509Certificate(second.chain).verify(new X509Certificate(issuer).publicKey), 'not before its week');
  await organisation.client.allowGateway(agent.id, false);
  await assert.rejects(agent.client.gatewayCertificate({ request: requestPem }), { code: 'not-authorised' });
});
