import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { epochMs, newId, systemRng } from '@ringfence/base';
import type { DurablePartyMessage } from '@ringfence/client/control-link';
import { sha256Hex } from '@ringfence/crypto/sign';
import { readStatement } from '@ringfence/keyring';
import { ShiftedClock, startDatabase, startReplica, until } from '../control-plane.fixture.ts';
import { newAgent, offerOf, TestOrganisation, type Leased } from '../organisation.fixture.ts';

const HOUR_MS = 3_600_000;
const digestOf = (name: string) => sha256Hex(new TextEncoder().encode(name));
const PLACEMENT = {
  tiers: ['secure-cloud' as const],
  evidence: { require: ['iso27001' as const], grade: 'documented' as const, maxAgeDays: 90 },
  retryOn: ['interruption' as const],
  // No silence ends it while time is let pass.
  onPartition: 'keep' as const,
  maxDurationMs: 60_000,
};

/** An organisation with a provider's machine that offers itself, and what its custodian says of machine and documents. */
async function rent(t: TestContext) {
  const clock = new ShiftedClock();
  const controlPlane = await startReplica(t, { databaseUrl: (await startDatabase(t)).url, clock });
  const org = new TestOrganisation(clock);
  const { client, custodian } = await org.enrol(t, controlPlane);
  const provider = newId('provider', systemRng);
  const rented = newAgent();
  const { id, site, sign } = rented;
  const joined = { op: 'add', id, sign: sign.publicKey, keyringSeq: 9, tier: 'secure-cloud', site } as const;
  await custodian.send({ name: 'member', body: joined });
  const admit = (until: number) =>
    custodian.send({ name: 'admission', body: { agent: id, provider, jurisdictions: ['DE'], until: epochMs(until) } });
  const document = (name: string, change: object = {}): DurablePartyMessage => {
    const span = { from: epochMs(clock.now() - 1_000), until: epochMs(clock.now() + 100 * HOUR_MS) };
    const claim = { standard: 'iso27001', grade: 'documented', provider, sites: [site], ...span } as const;
    return { name: 'evidence', body: { op: 'add', evidence: digestOf(name), ...claim, sites: [site], ...change } };
  };
  await until('the machine is known', async () => (await client.agents()).length >= 1);
  const agent = org.dial(t, controlPlane, rented);
  let epoch = 0;
  /** Says that it is there, whatever the clock did. */
  const offer = async (jurisdictions: string[] = ['DE']): Promise<void> => {
    epoch += 1;
    await agent.send(offerOf(rented, { epoch, tier: 'secure-cloud', jurisdictions }));
  };
  const seen = async () => (await client.offers()).find((other) => other.offer === rented.offer);
  const submit = async (expiresIn = 20 * HOUR_MS) =>
    (await client.submit(org.submission({ placement: PLACEMENT, expiresIn }))).job;
  const waitsFor = async (job: Awaited<ReturnType<typeof submit>>) =>
    (await client.job(job)).waitingFor.map(({ constraint }) => constraint);
  return { clock, client, custodian, agent, provider, admit, document, offer, seen, submit, waitsFor };
}

test('a machine gets jobs as long as it is admitted; then what runs there stops, and no clock that goes back admits it again', async (t) => {
  const house = await rent(t);
  const { clock, client, custodian, agent, admit, document, offer, seen, submit, waitsFor } = house;
  const end = clock.now() + 600_000;
  await admit(end);
  await custodian.send(document('certificate'));
  await offer();
  const job = await submit();
  await until('a lease', async () => (await client.job(job)).state === 'leased');
  assert.equal((await seen())?.admittedUntil, end);
  await agent.send({ name: 'attempt-status', body: { job, attempt: 1, state: 'running' } });
  await until('it runs', async () => (await client.job(job)).state === 'running');
  clock.jump(600_001);
  await until('a stop', () => {
    clock.shift(300);
    return agent.messages.some(({ name }) => name === 'stop');
  });
  const stops = agent.messages.flatMap((message) => (message.name === 'stop' ? [message.body.reason] : []));
  assert.deepEqual(stops, ['drain']);
  assert.equal((await client.job(job)).attempts[0]?.stopCause, 'admission');
  await agent.send({ name: 'attempt-status', body: { job, attempt: 1, state: 'stopped', outcome: 'interrupted' } });
  clock.jump(-600_001);
  await offer();
  await until('it says why', async () => (await waitsFor(job)).includes('agent-locked'));
  assert.equal((await seen())?.admittedUntil, 0);
  // Its papers were renewed.
  await admit(clock.now() + HOUR_MS);
  await until('the next lease', async () => (await client.job(job)).attempts.length === 2);
  // Its admitter was removed.
  await agent.send({ name: 'attempt-status', body: { job, attempt: 2, state: 'running' } });
  await admit(0);
  await until('another stop', () => agent.messages.filter(({ name }) => name === 'stop').length === 2);
});

test('a clock that is wrong for a moment ends no admission', async (t) => {
  const { admit, client, clock, custodian, document, offer, seen, submit } = await rent(t);
  const end = clock.now() + 2 * HOUR_MS;
  await admit(end);
  await offer();
  const [early, late] = [await submit(3 * HOUR_MS), await submit(20 * HOUR_MS)];
  // One look ends jobs and then papers, so the second job's end shows that a whole look saw the wrong time.
  for (const [job, hours] of [[early, 4] as const, [late, 17] as const]) {
    clock.jump(hours * HOUR_MS);
    await until('it is over', async () => (await client.job(job)).state === 'failed');
  }
  clock.jump(-21 * HOUR_MS);
  await offer();
  assert.equal((await seen())?.admittedUntil, end);
  await custodian.send(document('certificate'));
  const next = await submit();
  await until('a lease', async () => (await client.job(next)).state === 'leased');
});

test('a machine that says to stand elsewhere than its custodian vouches for gets no jobs', async (t) => {
  const { admit, clock, offer, seen } = await rent(t);
  await admit(clock.now() + HOUR_MS);
  await offer(['DE', 'FR']);
  await until('it says why', async () => (await seen())?.quarantined[0]?.fault === 'not-as-vouched');
  assert.equal((await seen())?.quarantined[0]?.field, 'jurisdictions');
  for (const fewer of [['DE'], []]) {
    await offer(fewer);
    await until('it may say less', async () => (await seen())?.quarantined.length === 0);
  }
});

test('of the documents about a site those about its own provider count, and receipts name no others', async (t) => {
  const { admit, agent, client, clock, custodian, document, offer, provider, submit, waitsFor } = await rent(t);
  const foreign = newId('provider', systemRng);
  await admit(clock.now() + HOUR_MS);
  const longer = { until: epochMs(clock.now() + 900 * HOUR_MS) };
  await custodian.send(document('about another provider', { provider: foreign, ...longer }));
  await custodian.send(document('about the organisation’s own', { provider: null, ...longer }));
  await offer();
  const job = await submit();
  await until('none counts', async () => (await waitsFor(job)).includes('evidence'));
  await custodian.send(document('about its own', { provider }));
  await until('a lease', () => agent.messages.some((message) => message.name === 'lease'));
  const lease = agent.messages.find((message) => message.name === 'lease') ?? assert.fail();
  const { receipt } = lease.body as Leased;
  const named = readStatement('receipt', receipt).claimed.evidence?.map(({ digest }) => digest);
  assert.deepEqual(named, [digestOf('about its own')]);
  await agent.send({ name: 'attempt-status', body: { job, attempt: 1, state: 'running' } });
  const revoke = (name: string) =>
    custodian.send({ name: 'evidence', body: { op: 'remove', evidence: digestOf(name) } });
  await revoke('about another provider');
  await revoke('about its own');
  await until('a stop', () => agent.messages.some(({ name }) => name === 'stop'));
  assert.equal((await client.job(job)).attempts[0]?.stopCause, 'evidence');
});

test('a custodian that says later whose sites a document is about is believed then', async (t) => {
  const { admit, client, clock, custodian, document, offer, seen, submit } = await rent(t);
  await custodian.send(document('certificate', { provider: undefined }));
  await offer();
  const counted = async (): Promise<number> => (await seen())?.offered?.evidence.length ?? 0;
  await until('it counts for anybody', async () => (await counted()) === 1);
  await admit(clock.now() + HOUR_MS);
  const job = await submit();
  await until('a lease', async () => (await client.job(job)).state === 'leased');
  await custodian.send(document('certificate', { provider: newId('provider', systemRng) }));
  await until('it is another’s', async () => (await counted()) === 0);
  await custodian.send(document('certificate'));
  await custodian.send(document('another'));
  await until('a word is not taken back by another', async () => (await counted()) === 1);
});

test('evidence whose end was seen counts no more when the clock goes back, until the custodian says it again', async (t) => {
  const { admit, client, clock, custodian, document, offer, seen, submit, waitsFor } = await rent(t);
  await admit(clock.now() + 50 * HOUR_MS);
  const ends = { until: epochMs(clock.now() + 3 * HOUR_MS) };
  const certificate = document('certificate', ends);
  await custodian.send(certificate);
  await offer();
  const counted = async (): Promise<number> => (await seen())?.offered?.evidence.length ?? 0;
  await until('it counts', async () => (await counted()) === 1);
  clock.jump(3 * HOUR_MS);
  await until('it is struck out', async () => {
    clock.shift(300);
    return (await counted()) === 0;
  });
  clock.jump(-3 * HOUR_MS);
  await offer();
  const job = await submit();
  await until('it waits', async () => (await waitsFor(job)).includes('evidence'));
  await custodian.send(certificate);
  await until('a lease', async () => (await client.job(job)).state === 'leased');
});
