import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { systemClock as clock } from '@ringfence/base/platform';
import { LinkJournal } from '@ringfence/client/control-link';
import { MESSAGES } from '@ringfence/protocol/messages';
import {
  addDataset,
  ask,
  commitBody,
  depositOf,
  depositTestJob,
  grantBody,
  joinBody,
  joinRig,
  makeTestJob,
  openGrant,
  stoppedBy,
  type TestAgent,
} from './fixtures/agent.fixture.ts';
import { decisionOn } from './fixtures/release.fixture.ts';
import { startControlPlaneDouble, type ControlPlaneDouble } from './fixtures/control-plane-double.fixture.ts';
import { CustodianProcess } from './fixtures/custodian-process.fixture.ts';
import { claimProof, firstKeyring, makeOwner, type TestOrganisation } from './fixtures/organisation.fixture.ts';

/** Kills the custodian by SIGKILL at each step, starts it again, and asks again as a client would whose answer was lost. */
const custodian = new CustodianProcess();
let controlPlane: ControlPlaneDouble;
let organisation: TestOrganisation;
let agent: TestAgent;
before(async () => {
  controlPlane = await startControlPlaneDouble();
});
after(async () => {
  await custodian.remove();
  await controlPlane.close();
});

/** Restarts armed, lets `run` be cut off by the kill, restarts unarmed with fresh links. */
async function killedAt(fault: string, run: () => Promise<unknown>): Promise<void> {
  await custodian.stop();
  await custodian.start(fault);
  await reconnect();
  await assert.rejects(run(), `the custodian died at ${fault}`);
  await custodian.ended();
  await custodian.start();
  await reconnect();
}

async function reconnect(): Promise<void> {
  for (const member of [organisation, agent]) {
    if (member === undefined) continue;
    member.client.close();
    Object.assign(member, { client: await custodian.client(member.tls) });
  }
}

test('a claim that was cut off at any step is taken once, by asking again', async () => {
  await custodian.start('claim-before-store');
  const owner = makeOwner();
  const code = custodian.claimCode();
  const { keys: own } = custodian;
  const keys = {
    custodian: own.id,
    sign: own.sign.publicKey,
    enrolment: own.enrolment.publicKey,
    tls: own.tls.publicKey,
    seal: own.seal.publicKey,
  };
  const body = {
    keyring: firstKeyring(owner, keys),
    registration: controlPlane.registrationCode(),
    passphraseSealed: true,
  };
  const claim = async () => {
    const client = await custodian.client(owner.tls);
    try {
      return await client.claim({ ...body, proof: claimProof(code, owner.tls, 'claim-request', body) });
    } finally {
      client.close();
    }
  };
  for (const next of ['claim-after-store', 'claim-after-register', undefined]) {
    await assert.rejects(claim());
    await custodian.ended();
    await custodian.start(next);
    if (next === 'claim-after-register') break;
  }
  // Registration went on by itself at this start, so the armed step has passed or passes now.
  await claim().catch(() => undefined);
  await custodian.stop();
  await custodian.start();
  const answer = await claim();
  organisation = { ...owner, project: answer.project, client: await custodian.client(owner.tls) };
  assert.equal((await organisation.client.status()).org, owner.org);
  agent = await joinRig(custodian, organisation);
});

test('a join that was cut off admits one agent', async () => {
  for (const fault of ['join-before-commit', 'join-after-commit']) {
    const { code } = await organisation.client.makeJoinCode({
      name: fault,
      site: 'lab',
      tier: 'private',
      validMs: 600_000,
    });
    const { body, tls } = joinBody(code);
    const enter = async () => (await custodian.client(tls)).join(body);
    await killedAt(fault, enter);
    const { agent: id } = await enter();
    const named = (await organisation.client.agents()).filter(({ name }) => name === fault);
    assert.deepEqual(
      named.map((row) => row.agent),
      [id],
    );
  }
});

test('deposits, grants, commits and stopped words are there once, whatever the kill cut off', async () => {
  for (const side of ['before', 'after']) {
    const job = await makeTestJob(custodian, organisation, { outputs: [`model-${side}`] });
    const deposit = await depositOf(custodian, organisation, job);
    await killedAt(`deposit-${side}-commit`, () => organisation.client.deposit(deposit));
    await organisation.client.deposit(deposit);
    const request = grantBody(controlPlane, agent, job, { attempt: 1 });
    await killedAt(`grant-${side}-commit`, () => ask(agent, request));
    const granted = await ask(agent, request);
    assert.ok(granted.result === 'granted');
    const { outputs } = await openGrant(organisation, agent, job, { attempt: 1, payload: granted.payload });
    const commit = await commitBody(organisation, agent, job, { attempt: 1, outputs });
    await killedAt(`commit-${side}-commit`, () => agent.client.commit(commit));
    const committed = await agent.client.commit(commit);
    assert.ok(committed.result === 'committed');
    assert.deepEqual(await agent.client.commit(commit), committed);
    const stopped = stoppedBy(agent, job, 1, 'succeeded');
    await killedAt(`stopped-${side}-commit`, () => agent.client.stopped(stopped));
    await agent.client.stopped(stopped);
    const shown = await organisation.client.job(job.body.job);
    assert.deepEqual([shown.grants.length, shown.outputs.length, shown.commit], [1, 1, committed.commit]);
  }
});

test('a release that was kept opens after any kill, one that was not opens nothing, and what went out has its receipt', async () => {
  await addDataset(custodian, organisation, { name: 'ward', sensitivity: 'restricted' });
  const job = await depositTestJob(custodian, organisation, { mounts: ['ward'], outputs: ['derived'] });
  const granted = await ask(agent, grantBody(controlPlane, agent, job, { attempt: 1 }));
  assert.ok(granted.result === 'granted');
  const { outputs } = await openGrant(organisation, agent, job, { attempt: 1, payload: granted.payload });
  const commit = await commitBody(organisation, agent, job, { attempt: 1, outputs });
  assert.equal((await agent.client.commit(commit)).result, 'committed');
  const { org, device } = organisation;
  const asked = {
    of: [{ artifact: 'derived' }],
    purpose: 'care',
    recipients: { org, devices: [device] },
    validMs: 86_400_000,
  };
  const open = () => organisation.client.openArtifact('derived');
  const request = await organisation.client.release.request(asked);
  const approval = decisionOn(organisation, organisation, request);
  const approve = () => organisation.client.release.decide(request.request, 'approve', approval);
  await killedAt('release-before-commit', approve);
  await assert.rejects(open(), { code: 'not-released' });
  await killedAt('release-after-commit', approve);
  await killedAt('opening-before-commit', open);
  await killedAt('opening-after-commit', open);
  assert.equal((await open()).artifact.name, 'derived');
  assert.equal((await approve()).words.length, 1, 'said again it is the same word');
  const [shown] = (await organisation.client.release.list()).requests;
  assert.deepEqual(
    [shown?.state, shown?.openings],
    ['released', 2],
    'the one whose answer was lost counts, the one before does not',
  );
});

test('an upload and a message to the control plane survive their kills', async () => {
  const job = await depositTestJob(custodian, organisation, { outputs: ['last'] });
  const granted = await ask(agent, grantBody(controlPlane, agent, job, { attempt: 1 }));
  assert.ok(granted.result === 'granted');
  const { outputs } = await openGrant(organisation, agent, job, { attempt: 1, payload: granted.payload });
  const upload = () => commitBody(organisation, agent, job, { attempt: 1, outputs });
  for (const fault of ['object-before-rename', 'object-after-rename']) await killedAt(fault, upload);
  const commit = await upload();
  await killedAt('outbox-before-journal', async () => {
    await agent.client.commit(commit);
    // The answer may win against the kill: the message is handed over after it.
    await custodian.ended();
    throw new Error('killed');
  });
  assert.equal((await agent.client.commit(commit)).result, 'committed');
  await custodian.stop();
  const { id } = custodian.keys;
  const journal = LinkJournal.open({
    folder: join(custodian.state, 'links', controlPlane.id),
    party: { id, org: organisation.org, role: 'custodian' },
    controlPlane: controlPlane.id,
    clock,
  });
  const notices = journal.messagesAbove(0).filter(({ number }) => number === MESSAGES.committed.number);
  const jobs = notices.map(({ body }) => body['job']);
  assert.equal(new Set(jobs).size, jobs.length, 'no job is announced twice');
  assert.equal(jobs.at(-1), job.body.job, 'and this one is not lost');
  await journal.close();
});
