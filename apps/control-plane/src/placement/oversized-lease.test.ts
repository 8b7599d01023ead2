import assert from 'node:assert/strict';
import { test } from 'node:test';
import { epochMs, newId, silentLog, systemRng } from '@ringfence/base';
import { systemClock } from '@ringfence/base/platform';
import { sha256Hex, signEnvelope, SigningKey, type Envelope } from '@ringfence/crypto/sign';
import { EVIDENCE_STANDARDS } from '@ringfence/protocol';
import { frameBytesOf } from '@ringfence/protocol/frames';
import { SAMPLE_PLACEMENT } from '@ringfence/protocol/samples';
import {
  CONSTRAINTS,
  jobStatement,
  labelStatement,
  leaseStatement,
  MOST_DENIED,
  placementPart,
  receiptStatement,
} from '@ringfence/protocol/statements';
import { cleanUp, startDatabase, startReplica, temporaryFolder, until } from '../control-plane.fixture.ts';
import { offerOf, TestOrganisation, type Submission } from '../organisation.fixture.ts';
import { openStore } from '../store/open-store.ts';

const most = Number.MAX_SAFE_INTEGER;
const digest = sha256Hex(new Uint8Array());
const at = epochMs(4_102_444_800_000);
const maxPrice = { microUnits: 1e12, currency: 'EUR' };
const id = <Kind extends Parameters<typeof newId>[0]>(kind: Kind) => newId(kind, systemRng);
const times = <T>(count: number, value: T): T[] => Array.from({ length: count }, () => value);
const key = SigningKey.generate(systemRng);
const envelopeOf = (name: string, body: object): Envelope =>
  signEnvelope(`application/vnd.ringfence.${name}.v1+json`, body as never, [key]);

/** Every field at its longest. */
function longestPlacement() {
  return placementPart.parse({
    ...SAMPLE_PLACEMENT,
    type: 'federate',
    resources: {
      cpuMilli: 1_024_000,
      memoryBytes: 1e14,
      diskBytes: 1e15,
      gpus: { model: 'A'.repeat(16), memoryBytes: 1e13, count: 64 },
      hardLimits: false,
    },
    tiers: ['private', 'secure-cloud', 'community-cloud'],
    residency: times(32, 'EEA'),
    residencyDeny: times(MOST_DENIED, 'EEA'),
    customerKey: true,
    sites: times(4, id('site')),
    isolation: 'container',
    tees: times(3, 'sev-snp'),
    evidence: { require: EVIDENCE_STANDARDS.map(() => 'penetration-test'), grade: 'self-declared', maxAgeDays: 3_650 },
    egress: 'declared',
    burst: 'allowed',
    spot: 'never',
    maxPrice,
    budget: { ...maxPrice, attempts: 1_000_000 },
    deadline: at,
    weights: { cost: 1e6, speed: 1e6, reliability: 1e6, gravity: 1e6 },
    priority: 100,
    maxDurationMs: 31_536_000_000,
    retryOn: times(3, 'interruption'),
    preemptible: true,
    gang: { id: id('gang'), size: 64 },
  });
}

function longestReceipt(common: object, agent: string) {
  const score = { cost: most, speed: most, reliability: most, gravity: most };
  const chosen = { offer: id('offer'), agent, tier: 'community-cloud', isolation: 'container' };
  const refused = CONSTRAINTS.map((constraint) => ({ constraint, count: 1e7 }));
  const digests = { constraintDigest: digest, labelDigest: digest, policyDigest: digest };
  const counts = { inventoryEpoch: most, considered: 1e7, refused, feasible: 1e7 };
  const evidence = { evidence: times(8, { digest, notAfter: at }), evidenceUntil: at };
  const budget = { period: most, reserved: 1e15, currency: 'EUR' };
  const money = { price: maxPrice, lossEvery: 30, budget };
  return receiptStatement.parse({ ...common, ...digests, ...counts, chosen, score, ...money, ...evidence });
}

test('the lease of the largest job fits into a frame, with the largest receipt', () => {
  const [org, job, agent] = [id('org'), id('job'), id('agent')];
  const common = { v: 1, org, job, attempt: 1e6, controlPlane: id('controlPlane'), jobDigest: digest, at };
  const terms = { receiptDigest: digest, term: 1e9, ttlMs: 600_000, notAfter: at };
  const digests = { constraintDigest: digest, payloadDigest: digest, labelDigest: digest };
  const counts = { expires: at, maxAttempts: 1e6, replicas: 1_000 };
  const order = { v: 1, org, job, at, project: id('project'), device: id('device'), type: 'serve' };
  const strict = {
    sensitivity: 'confidential',
    residency: times(32, 'EEA'),
    acceptProviderPlaintext: true,
    profile: digest,
  };
  const body = {
    job: envelopeOf('job', jobStatement.parse({ ...order, ...digests, ...counts })),
    label: envelopeOf(
      'label',
      labelStatement.parse({ v: 1, org, job, custodian: id('custodian'), ...strict, at, notAfter: at }),
    ),
    placement: longestPlacement(),
    receipt: envelopeOf('receipt', longestReceipt(common, agent)),
    lease: envelopeOf('lease', leaseStatement.parse({ ...common, agent, ...terms })),
    echo: most,
  };
  assert.equal(frameBytesOf({ name: 'lease', body }), 8_192);
  const twice = { ...body.job, signatures: times(8, body.job.signatures[0] ?? assert.fail()) };
  assert.throws(() => frameBytesOf({ name: 'lease', body: { ...body, job: twice } }), RangeError);
});

const padded = (envelope: Submission['job'], signatures = 8): Submission['job'] => ({
  ...envelope,
  signatures: times(signatures, envelope.signatures[0] ?? assert.fail()),
});

test('a job with more than one signature is refused; a lease that no frame takes holds up nobody', async (t) => {
  const { url } = await startDatabase(t);
  const controlPlane = await startReplica(t, { databaseUrl: url });
  const org = new TestOrganisation();
  const { client, agent } = await org.enrol(t, controlPlane);
  const honest = org.submission();
  for (const many of [{ job: padded(honest.job) }, { label: padded(honest.label) }])
    await assert.rejects(client.submit({ ...honest, ...many }), { code: 'bad-statement' });

  const { store, close } = await openStore({ stateDir: temporaryFolder(t), url, clock: systemClock, log: silentLog });
  cleanUp(t, close);
  const size = { ...SAMPLE_PLACEMENT.resources, cpuMilli: 6_000 };
  const [bad, good] = [await wait(90), await wait(10)];
  await store.withOrg(org.org, (tx) =>
    tx
      .updateTable('job')
      .set({ job_envelope: JSON.stringify(padded(bad.submission.job, 60)) })
      .where('job', '=', bad.job)
      .execute(),
  );
  await agent.send(offerOf(org.agent, { epoch: 9, cpuMilli: 8_000 }));
  await until('the other is leased', async () => (await client.job(good.job)).state === 'leased');
  await until('its lease arrives', () => agent.messages.some(({ name }) => name === 'lease'));
  assert.deepEqual((await client.job(bad.job)).attempts, []);

  async function wait(priority: number) {
    const submission = org.submission({ placement: { resources: size, priority } });
    const { job } = await client.submit(submission);
    await until('it waits', async () => (await client.job(job)).waitingFor.length > 0);
    return { job, submission };
  }
});
