import assert from 'node:assert/strict';
import { before, after, describe, it } from 'node:test';
import { newId, systemRng as rng, utf8, type JobId } from '@ringfence/base';
import { systemClock as clock } from '@ringfence/base/platform';
import { TlsKey } from '@ringfence/crypto/certificate';
import { sha256Hex, SigningKey } from '@ringfence/crypto/sign';
import { nextStatement, signStatement, workloadDigest } from '@ringfence/keyring';
import type { KeyringChange } from '@ringfence/protocol/statements';
import type { Workload } from '@ringfence/protocol/payload';
import { createLocalJWKSet, decodeJwt, jwtVerify } from 'jose';
import {
  ask,
  depositTestJob,
  grantBody,
  joinRig,
  randomDigest,
  stoppedBy,
  type TestAgent,
  type TestJob,
} from '../fixtures/agent.fixture.ts';
import { shredAttempt } from '../shredding/shred-rows.ts';
import { startControlPlaneDouble, type ControlPlaneDouble } from '../fixtures/control-plane-double.fixture.ts';
import { startRig, type CustodianRig } from '../fixtures/custodian-rig.fixture.ts';
import { claimRig, type TestOrganisation } from '../fixtures/organisation.fixture.ts';

const AUDIENCE = 'https://vault.example.internal';
const [SECOND, THIRD] = ['https://db.example.internal', 'https://mail.example.internal'];
const identity = { vault: AUDIENCE, db: SECOND, mail: THIRD };

describe('the tokens of jobs', () => {
  let rig: CustodianRig;
  let controlPlane: ControlPlaneDouble;
  let organisation: TestOrganisation;
  let agent: TestAgent;
  let other: TestAgent;

  before(async () => {
    [rig, controlPlane] = await Promise.all([startRig(), startControlPlaneDouble()]);
    organisation = await claimRig(rig, controlPlane);
    [agent, other] = [await joinRig(rig, organisation, 'node-1'), await joinRig(rig, organisation, 'node-2')];
  });

  after(async () => {
    await rig.close();
    await controlPlane.close();
  });

  async function granted(work: Partial<Workload> = { identity }, of = organisation): Promise<TestJob> {
    const made = await depositTestJob(rig, of, { retryOn: ['interruption'], work });
    assert.equal((await ask(agent, grantBody(controlPlane, agent, made, { attempt: 1 }))).result, 'granted');
    return made;
  }

  const request = (job: JobId, more: { by?: TestAgent; attempt?: number; audience?: string; leaseMs?: number } = {}) =>
    (more.by ?? agent).client.identities.request({
      job,
      attempt: more.attempt ?? 1,
      audience: more.audience ?? AUDIENCE,
      leaseMs: more.leaseMs ?? 25_000,
    });

  const refused = (...reasons: string[]) => ({ result: 'refused', reasons });

  const events = (job: JobId) =>
    rig.custodian.context.store.withOrg(organisation.org, async (tx) => {
      const rows = await tx.selectFrom('event').select('body').where('type', 'like', 'identity-%').execute();
      return rows
        .map(({ body }) => JSON.parse(Buffer.from(body).toString('utf8')).event as Record<string, unknown>)
        .filter((event) => event['job'] === job);
    });

  it('verify with another’s library against the published keys, name the attempt, and are in the ledger without their text', async () => {
    const { body, workload } = await granted();
    const answer = await request(body.job);
    assert.ok(answer.result === 'issued');
    const { issuer, keys } = await organisation.client.identities.keys();
    const verified = await jwtVerify(answer.token, createLocalJWKSet({ keys }), { issuer, audience: AUDIENCE });
    const { payload } = verified;
    const { org, project } = organisation;
    assert.equal(payload.sub, `ringfence://${org}/project/${project}/job/${body.job}/1`);
    assert.equal(payload['agent'], agent.id);
    assert.equal(payload['site'], rig.custodian.context.owner.claimed?.keyring.agent(agent.id)?.site);
    assert.equal(payload['attempt'], 1);
    assert.equal(payload['device'], organisation.device);
    assert.equal(payload['workload'], workloadDigest(workload));
    const { iat = 0, nbf, exp = 0, jti } = payload;
    assert.equal(nbf, iat);
    assert.ok(exp - iat <= 25 && exp * 1_000 <= clock.now() + 25_000, `${exp - iat} s`);
    const [event, ...more] = await events(body.job);
    assert.deepEqual(more, []);
    assert.deepEqual(event, {
      type: 'identity-issued',
      job: body.job,
      attempt: 1,
      agent: agent.id,
      audience: sha256Hex(utf8(AUDIENCE)),
      token: jti,
      until: exp * 1_000,
    });
    await assert.rejects(jwtVerify(answer.token, createLocalJWKSet({ keys }), { audience: 'https://other.example' }));
    const [head = '', claims = '', signature = ''] = answer.token.split('.');
    const forged = Buffer.from(JSON.stringify({ ...decodeJwt(answer.token), attempt: 2 })).toString('base64url');
    await assert.rejects(jwtVerify(`${head}.${forged}.${signature}`, createLocalJWKSet({ keys })));
    assert.notEqual(claims, forged);
  });

  it('are signed by a key of their own, which a restart keeps', async () => {
    const before = await organisation.client.identities.keys();
    await rig.restart();
    [organisation, agent, other] = [
      { ...organisation, client: await rig.client(organisation.tls) },
      { ...agent, client: await rig.client(agent.tls) },
      { ...other, client: await rig.client(other.tls) },
    ];
    const { keys } = await organisation.client.identities.keys();
    assert.deepEqual(keys, before.keys);
    const { sign, enrolment } = rig.keys;
    for (const key of [sign, enrolment]) assert.notEqual(keys[0]?.x, key.publicKey);
  });

  it('are for audiences of the job file alone, and for jobs that ask', async () => {
    const { body } = await granted();
    assert.deepEqual(await request(body.job, { audience: `${AUDIENCE}/` }), refused('audience'));
    const plain = await granted({});
    assert.deepEqual(await request(plain.body.job), refused('audience'));
    assert.deepEqual(
      (await events(body.job)).map(({ type }) => type),
      ['identity-refused'],
    );
  });

  it('are for the agent that runs the current attempt alone', async () => {
    const { body } = await granted();
    assert.deepEqual(await request(body.job, { by: other }), refused('not-current'));
    assert.deepEqual(await request(body.job, { attempt: 2 }), refused('not-current'));
    assert.deepEqual(await request(newId('job', rng)), refused('not-current'));
    assert.deepEqual(await events(body.job), [], 'whoever runs nothing writes nothing');
    const { client } = organisation;
    const wish = { job: body.job, attempt: 1, audience: AUDIENCE, leaseMs: 25_000 };
    await assert.rejects(client.identities.request(wish), { code: 'not-authenticated' });
  });

  it('are never for longer than 15 minutes or the lease, and not without one', async () => {
    const { body } = await granted();
    const long = await request(body.job, { leaseMs: 600_000 });
    assert.ok(long.result === 'issued' && long.lifetimeMs <= 30_000, 'the lease that was granted is of half a minute');
    const kept = await depositTestJob(rig, organisation, { work: { identity }, placement: { onPartition: 'keep' } });
    assert.equal((await ask(agent, grantBody(controlPlane, agent, kept, { attempt: 1 }))).result, 'granted');
    const longer = await request(kept.body.job, { leaseMs: 600_000 });
    assert.ok(longer.result === 'issued' && longer.lifetimeMs > 30_000 && longer.lifetimeMs <= 600_000);
    await assert.rejects(request(body.job, { leaseMs: 600_001 }), { status: 400 });
    assert.deepEqual(await request(body.job, { leaseMs: 999 }), refused('lease-over'));
  });

  it('end with the attempt: stopped, or followed by another', async () => {
    const stopped = await granted();
    await agent.client.stopped(stoppedBy(agent, stopped, 1, 'interrupted'));
    assert.deepEqual(await request(stopped.body.job), refused('stopped'));
    const again = grantBody(controlPlane, other, stopped, { attempt: 2 });
    assert.equal((await ask(other, again)).result, 'granted');
    assert.deepEqual(await request(stopped.body.job), refused('not-current'));
    assert.equal((await request(stopped.body.job, { by: other, attempt: 2 })).result, 'issued');
  });

  it('end with an officer’s fence, with a restore, and with another job than the granted one', async () => {
    const fenced = await granted();
    const { org, device, sign } = organisation;
    const word = { v: 1, org, job: fenced.body.job, attempt: 1, device, at: clock.now() } as const;
    await organisation.client.fence(fenced.body.job, signStatement('fence', word, [sign]));
    assert.deepEqual(await request(fenced.body.job), refused('fenced'));
    const { store } = rig.custodian.context;
    const [earlier, changed] = [await granted(), await granted()];
    await store.withOrg(org, async (tx) => {
      await tx.updateTable('attempt').set({ epoch: 7 }).where('job', '=', earlier.body.job).execute();
      const job_digest = randomDigest();
      await tx.updateTable('job').set({ job_digest }).where('job', '=', changed.body.job).execute();
    });
    assert.deepEqual(await request(earlier.body.job), refused('epoch'));
    assert.deepEqual(await request(changed.body.job), refused('bad-grant'));
  });

  it('end when the job is closed or has its result, and when its keys are destroyed', async () => {
    const [closed, committed, shredded] = [await granted(), await granted(), await granted()];
    const { org } = organisation;
    await rig.custodian.context.store.withOrg(org, async (tx) => {
      const job = (of: TestJob) => tx.updateTable('job').where('job', '=', of.body.job);
      await job(closed).set({ closed: 'cancelled' }).execute();
      await job(committed).set({ commit_record: '{}' }).execute();
      await shredAttempt(tx, { org, job: shredded.body.job, attempt: 1, at: clock.now() });
    });
    assert.deepEqual(await request(closed.body.job), refused('closed'));
    assert.deepEqual(await request(committed.body.job), refused('committed'));
    assert.deepEqual(await request(shredded.body.job), refused('shredded', 'audience'));
  });

  it('are made once a second at the most, and of refusals without end few are written down', async () => {
    const { body } = await granted();
    assert.equal((await request(body.job)).result, 'issued');
    assert.deepEqual(await request(body.job), refused('too-often'));
    assert.equal((await request(body.job, { audience: SECOND })).result, 'issued');
    assert.equal((await events(body.job)).length, 2);
    for (let asked = 0; asked < 20; asked += 1)
      assert.deepEqual(await request(body.job, { audience: `https://${asked}.example` }), refused('audience'));
    // The first, then the 2nd, 4th, 8th and 16th.
    assert.equal((await events(body.job)).length, 2 + 5);
  });

  it('are not given to a replica of a revision that is over', async () => {
    const { body } = await granted();
    const { org } = organisation;
    const of = { org, endpoint: newId('endpoint', rng), revision: 1 };
    const box = Buffer.from('box');
    const { store } = rig.custodian.context;
    await store.withOrg(org, async (tx) => {
      const { endpoint } = of;
      await tx
        .insertInto('endpoint')
        .values({ org, endpoint, name_index: endpoint, name_box: box, made_at: 1, manual: 1 })
        .execute();
      const made = { service_box: box, sensitivity: 'internal', made_at: 1 } as const;
      await tx
        .insertInto('endpoint_revision')
        .values({ ...of, ...made, state: 'current' })
        .execute();
      await tx
        .insertInto('endpoint_slot')
        .values({ ...of, job: body.job, slot: 0, wanted: true, told: 'wanted', attempt: 1, state: 'ready' })
        .execute();
    });
    assert.equal((await request(body.job)).result, 'issued');
    await store.withOrg(org, async (tx) => {
      await tx.updateTable('endpoint_revision').set({ state: 'gone' }).where('endpoint', '=', of.endpoint).execute();
    });
    assert.deepEqual(await request(body.job), refused('closed'));
  });

  it('are not given under a lock on the machine', async () => {
    const { body } = await granted();
    const { store } = rig.custodian.context;
    const lock = (locked: 'incident' | null) =>
      store.withOrg(organisation.org, async (tx) => {
        await tx.updateTable('agent').set({ locked }).where('agent', '=', agent.id).execute();
      });
    await lock('incident');
    assert.deepEqual(await request(body.job), refused('locked'));
    await lock(null);
    assert.equal((await request(body.job)).result, 'issued');
    const { locks } = organisation.client;
    const set = await locks.set({ kind: 'agent', agent: agent.id });
    await assert.rejects(request(body.job, { audience: SECOND }));
    await locks.agree(set.lock, 'lift', set.term);
    assert.equal((await request(body.job, { audience: THIRD })).result, 'issued');
  });

  it('are not given while the job’s device is locked, nor once it is removed', async () => {
    const { root, client } = organisation;
    const append = async (change: KeyringChange) => {
      const { keyring } = rig.custodian.context.owner.claimed ?? assert.fail();
      await client.appendStatement(signStatement('keyring', nextStatement(keyring, change, clock.now()), [root]));
    };
    const [device, sign, tls] = [newId('device', rng), SigningKey.generate(rng), TlsKey.generate(rng)];
    await append({ kind: 'add-device', device, sign: sign.publicKey, tls: tls.publicKey });
    await append({ kind: 'bind-role', device, role: 'ml-engineer' });
    const engineer = { ...organisation, device, sign, client: await rig.client(tls) };
    const { body } = await granted({ identity }, engineer);
    assert.equal((await request(body.job)).result, 'issued');
    const lock = await client.locks.set({ kind: 'device', device });
    assert.deepEqual(await request(body.job), refused('locked'));
    await client.locks.agree(lock.lock, 'lift', lock.term);
    assert.equal((await request(body.job, { audience: SECOND })).result, 'issued');
    await append({ kind: 'remove', subject: device, reason: 'left' });
    assert.deepEqual(await request(body.job), refused('device-removed'));
  });
});
