import assert from 'node:assert/strict';
import { test } from 'node:test';
import { epochMs, newId, silentLog, systemRng } from '@ringfence/base';
import { systemClock } from '@ringfence/base/platform';
import type { DurablePartyMessage } from '@ringfence/client/control-link';
import { sha256Hex } from '@ringfence/crypto/sign';
import { readStatement } from '@ringfence/keyring';
import { cleanUp, startDatabase, startReplica, temporaryFolder, until } from '../control-plane.fixture.ts';
import { TestOrganisation, type Leased } from '../organisation.fixture.ts';
import { openStore } from '../store/open-store.ts';

const DAY_MS = 86_400_000;
const EVIDENCE = { require: ['iso27001' as const], grade: 'documented' as const, maxAgeDays: 90 };
const digestOf = (name: string) => sha256Hex(new TextEncoder().encode(name));

test('offers count with the evidence that the custodian told of, and what relied on it ends with it', async (t) => {
  const { url: databaseUrl } = await startDatabase(t);
  const controlPlane = await startReplica(t, { databaseUrl });
  const org = new TestOrganisation();
  const { client, custodian, agent } = await org.enrol(t, controlPlane);
  const notice = (name: string, change: object = {}): DurablePartyMessage => {
    const now = systemClock.now();
    const span = { from: epochMs(now - 1_000), until: epochMs(now + 30 * DAY_MS) };
    const claim = { standard: 'iso27001', grade: 'documented', sites: [org.agent.site], ...span } as const;
    return {
      name: 'evidence',
      body: { op: 'add', evidence: digestOf(name), ...claim, sites: [...claim.sites], ...change },
    };
  };
  const placement = { evidence: EVIDENCE, retryOn: ['interruption' as const], maxDurationMs: 60_000 };
  const { job } = await client.submit(org.submission({ placement }));
  const waits = async (of: typeof job): Promise<boolean> =>
    (await client.job(of)).waitingFor.some(({ constraint }) => constraint === 'evidence');
  await until('it says why', () => waits(job));
  await custodian.send(notice('another site', { sites: [newId('site', systemRng)] }));
  await custodian.send(notice('another standard', { standard: 'soc2' }));
  await custodian.send(notice('its own word', { grade: 'self-declared' }));
  await custodian.send(notice('ends too early', { until: epochMs(systemClock.now() + 3_600_000) }));
  await custodian.send(notice('old', { from: epochMs(systemClock.now() - 91 * DAY_MS) }));
  const again = await client.submit(org.submission({ placement }));
  await until('none of these counts', () => waits(again.job));
  await client.stop(again.job, 0);
  // The custodian would have to say it over minutes: more than an offer has room for, and all of it lasts longer.
  const { store, close } = await openStore({
    stateDir: temporaryFolder(t),
    url: databaseUrl,
    clock: systemClock,
    log: silentLog,
  });
  cleanUp(t, close);
  const [from_at, until_at] = [systemClock.now(), epochMs(systemClock.now() + 60 * DAY_MS)];
  const other = {
    org: org.org,
    site: org.agent.site,
    standard: 'soc2',
    grade: 'documented',
    from_at,
    until_at,
  } as const;
  const many = Array.from({ length: 40 }, (_, count) => ({
    ...other,
    evidence: digestOf(`another standard ${count}`),
  }));
  await store.withOrg(org.org, (tx) => tx.insertInto('site_evidence').values(many).execute());
  await custodian.send(notice('good'));
  await until('a lease', () => agent.messages.some((message) => message.name === 'lease'));
  const lease = agent.messages.find((message) => message.name === 'lease') ?? assert.fail();
  const { receipt } = lease.body as Leased;
  assert.deepEqual(
    readStatement('receipt', receipt).claimed.evidence?.map(({ digest }) => digest),
    [digestOf('good')],
  );
  await agent.send({ name: 'attempt-status', body: { job, attempt: 1, state: 'running' } });
  const plain = await client.submit(org.submission());
  await until('one that relies on none', async () => (await client.job(plain.job)).state === 'leased');
  await custodian.send({ name: 'evidence', body: { op: 'remove', evidence: digestOf('good') } });
  await until('a stop', () => agent.messages.some(({ name }) => name === 'stop'));
  const stops = agent.messages.flatMap((message) => (message.name === 'stop' ? [message.body] : []));
  assert.deepEqual(
    stops.filter(({ reason }) => reason === 'drain'),
    [{ job, attempt: 1, graceMs: 120_000, reason: 'drain' }],
  );
  assert.equal((await client.job(job)).attempts[0]?.stopCause, 'evidence');
  await agent.send({ name: 'attempt-status', body: { job, attempt: 1, state: 'stopped', outcome: 'interrupted' } });
  await until('it waits for evidence again', () => waits(job));
});
