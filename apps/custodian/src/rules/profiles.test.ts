import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { newId, systemRng as rng } from '@ringfence/base';
import { SigningKey, statementDigest } from '@ringfence/crypto/sign';
import { readStatement } from '@ringfence/keyring';
import type { ProfileRequirements } from '@ringfence/protocol/statements';
import { addDataset, depositOf, depositTestJob, makeTestJob } from '../fixtures/agent.fixture.ts';
import { startControlPlaneDouble, type ControlPlaneDouble } from '../fixtures/control-plane-double.fixture.ts';
import { startRig, type CustodianRig } from '../fixtures/custodian-rig.fixture.ts';
import { claimRig, type TestOrganisation } from '../fixtures/organisation.fixture.ts';
import { signProfile } from '../fixtures/rules.fixture.ts';

let rig: CustodianRig;
let controlPlane: ControlPlaneDouble;
let organisation: TestOrganisation;

before(async () => {
  [rig, controlPlane] = await Promise.all([startRig(), startControlPlaneDouble()]);
  organisation = await claimRig(rig, controlPlane);
});
after(async () => {
  await rig.close();
  await controlPlane.close();
});

const set = (name: string, seq: number, requirements: ProfileRequirements | null) =>
  organisation.client.rules.setProfile(signProfile(organisation, { name, seq, requirements }));

test('a profile is kept in the versions that officers sign, one after the other, and an older one is refused', async () => {
  const first = signProfile(organisation, { name: 'strict', seq: 1, requirements: { isolation: 'gvisor' } });
  await organisation.client.rules.setProfile(first);
  await organisation.client.rules.setProfile(first);
  await set('strict', 2, { isolation: 'microvm' });
  const [kept] = await organisation.client.rules.profiles();
  assert.equal(readStatement('profile', kept?.statement ?? assert.fail()).claimed.requirements?.isolation, 'microvm');
  await assert.rejects(organisation.client.rules.setProfile(first), { code: 'conflict' });
  await assert.rejects(set('strict', 2, {}), { code: 'conflict' });
  await assert.rejects(set('strict', 4, {}), { code: 'conflict' });
  const loose = signProfile(organisation, { name: 'strict', seq: 3, requirements: {} }, SigningKey.generate(rng));
  await assert.rejects(organisation.client.rules.setProfile(loose), { code: 'bad-statement' });
  const racing = await Promise.allSettled([set('strict', 3, { spot: 'never' }), set('strict', 3, { logs: 'local' })]);
  assert.deepEqual(racing.map(({ status }) => status).toSorted(), ['fulfilled', 'rejected']);
});

test('the label of a job is as strict as its profile, and names the version', async () => {
  await set('ward', 1, { sensitivity: 'confidential', residency: ['DE', 'FR'] });
  await addDataset(rig, organisation, { name: 'stays', residency: ['EU'] });
  const job = newId('job', rng);
  const ask = (mounts: string[], profile?: string) =>
    organisation.client.labelAndSites({ job, mounts, validMs: 60_000, ...(profile === undefined ? {} : { profile }) });
  const { label, profile } = await ask(['stays'], 'ward');
  const { sensitivity, residency, profile: named } = readStatement('label', label).claimed;
  assert.deepEqual([sensitivity, residency], ['confidential', ['DE', 'FR']]);
  assert.equal(statementDigest(profile ?? assert.fail()), named);
  assert.equal(readStatement('label', (await ask([])).label).claimed.profile, undefined);
  await assert.rejects(ask([], 'Ward'), { code: 'not-found' });
  await set('ward', 2, null);
  await assert.rejects(ask([], 'ward'), { code: 'not-found' });
});

test('a deposit that is looser than the profile of its label, or than the newest version of it, is refused', async () => {
  await set('site', 1, { isolation: 'container', tiers: ['private'], customerKey: true });
  const placement = { isolation: 'container', tiers: ['private'] } as const;
  const tiers: ['private'] = ['private'];
  const work = { isolation: 'container' } as const;
  const good = { profile: 'site', work, placement: { ...placement, tiers, customerKey: true } } as const;
  await depositTestJob(rig, organisation, good);
  await assert.rejects(
    depositTestJob(rig, organisation, { ...good, work: {}, placement: { ...good.placement, isolation: 'sandbox' } }),
    /less than its profile demands: isolation/,
  );
  await assert.rejects(
    depositTestJob(rig, organisation, { ...good, placement: { ...placement, tiers } }),
    /less than its profile demands: customerKey/,
  );
  const early = await makeTestJob(rig, organisation, good);
  await set('site', 2, { isolation: 'process' });
  await assert.rejects(organisation.client.deposit(await depositOf(rig, organisation, early)), /changed meanwhile/);
});

test('profiles survive a restart, and no name of one stands in the database', async () => {
  await set('hidden-name', 1, { logs: 'local' });
  await rig.restart();
  const client = await rig.client(organisation.tls);
  const names = (await client.rules.profiles()).map(
    ({ statement }) => readStatement('profile', statement).claimed.name,
  );
  assert.ok(names.includes('hidden-name'));
  const rows = await rig.custodian.context.store.withOrg(organisation.org, (tx) =>
    tx.selectFrom('signed_rule').selectAll().execute(),
  );
  assert.ok(rows.length > 0);
  for (const { document_box, ...row } of rows) {
    assert.ok(!JSON.stringify(row).includes('hidden-name'));
    assert.ok(!Buffer.from(document_box).includes('hidden-name'));
  }
});
