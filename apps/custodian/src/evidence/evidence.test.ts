import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { epochMs, newId, systemRng as rng } from '@ringfence/base';
import { systemClock as clock } from '@ringfence/base/platform';
import { SigningKey, statementDigest } from '@ringfence/crypto/sign';
import { MOST_EVIDENCE } from '@ringfence/protocol/statements';
import { ask, depositTestJob, grantBody, joinBody, joinRig, type TestAgent } from '../fixtures/agent.fixture.ts';
import { startControlPlaneDouble, type ControlPlaneDouble } from '../fixtures/control-plane-double.fixture.ts';
import { startRig, type CustodianRig } from '../fixtures/custodian-rig.fixture.ts';
import { claimRig, type TestOrganisation } from '../fixtures/organisation.fixture.ts';
import { append, awayCode, joinAway, makeProvider, type TestProvider } from '../fixtures/provider.fixture.ts';

let rig: CustodianRig;
let controlPlane: ControlPlaneDouble;
let organisation: TestOrganisation;
let provider: TestProvider;
let rented: TestAgent;

before(async () => {
  [rig, controlPlane] = await Promise.all([startRig(), startControlPlaneDouble()]);
  organisation = await claimRig(rig, controlPlane);
  provider = await makeProvider(organisation);
  rented = await joinAway(rig, organisation, provider);
});
after(async () => {
  await rig.close();
  await controlPlane.close();
});

/** What the custodian answers to a control plane that places a job there, whatever the evidence. */
async function outcome(maxDurationMs = 60_000): Promise<string> {
  const evidence = { require: ['iso27001' as const], grade: 'documented' as const, maxAgeDays: 90 };
  const placement = { tiers: ['private', 'secure-cloud'] as ['private', 'secure-cloud'], burst: 'allowed' as const };
  const made = await depositTestJob(rig, organisation, {
    placement: { ...placement, evidence, maxDurationMs },
    work: { maxDurationMs },
  });
  const chosen = {
    offer: newId('offer', rng),
    agent: rented.id,
    tier: 'secure-cloud',
    isolation: 'container',
  } as const;
  const answer = await ask(rented, grantBody(controlPlane, rented, made, { attempt: 1, editReceipt: { chosen } }));
  if (answer.result !== 'refused') return answer.result;
  const { claimed = assert.fail() } = rig.custodian.context.owner;
  const events = await rig.custodian.context.store.withOrg(claimed.org, (tx) =>
    tx.selectFrom('event').select('body').where('type', '=', 'grant-refused').orderBy('seq', 'desc').limit(1).execute(),
  );
  const { event } = JSON.parse(Buffer.from(events[0]?.body ?? assert.fail()).toString()) as {
    event: { checks: string[] };
  };
  return `${answer.reason}: ${event.checks.join()}`;
}

/** How many messages to the control plane there ever were. */
async function messages(): Promise<number> {
  const { claimed = assert.fail() } = rig.custodian.context.owner;
  const row = await rig.custodian.context.store.withOrg(claimed.org, (tx) =>
    tx.selectFrom('organisation').select('outbox_seq').executeTakeFirstOrThrow(),
  );
  return row.outbox_seq;
}
const REFUSED = 'placement: evidence-not-verified';

test('a machine away from home joins with its papers only, under its own id, site and places', async () => {
  const { claimed = assert.fail() } = rig.custodian.context.owner;
  const entry = claimed.keyring.agent(rented.id) ?? assert.fail();
  assert.equal(entry.tier, 'secure-cloud');
  assert.equal(entry.site, provider.site);
  assert.deepEqual(entry.jurisdictions, ['DE', 'US']);
  assert.equal(entry.admitted?.provider, provider.provider);

  const bare = joinBody(await awayCode(organisation));
  await assert.rejects((await rig.client(bare.tls)).join(bare.body), { code: 'bad-statement' });
  const others = joinBody(await awayCode(organisation), undefined, (keys) =>
    provider.papers({ ...keys, sign: SigningKey.generate(rng).publicKey }),
  );
  await assert.rejects((await rig.client(others.tls)).join(others.body), { code: 'bad-statement' }, 'other keys');
  const { code } = await organisation.client.makeJoinCode({
    name: 'own',
    site: 'lab',
    tier: 'private',
    validMs: 60_000,
  });
  const athome = joinBody(code, undefined, (keys) => provider.papers(keys));
  await assert.rejects((await rig.client(athome.tls)).join(athome.body), { code: 'bad-statement' }, 'papers at home');
  const twice = joinBody(await awayCode(organisation), undefined, (keys) => provider.papers(keys, rented.id));
  await assert.rejects((await rig.client(twice.tls)).join(twice.body), { code: 'conflict' }, 'an agent comes once');
  const taken = joinBody(await awayCode(organisation, 'lab-2'), undefined, (keys) => provider.papers(keys));
  const stranger = await rig.client(taken.tls);
  const first = await stranger.join(taken.body);
  assert.equal((await stranger.join(taken.body)).agent, first.agent, 'a cut join is repeated');
});

test('a site’s name stands for one site', async () => {
  await joinRig(rig, organisation, 'own-1', 'our-lab');
  const borrowed = joinBody(await awayCode(organisation, 'our-lab'), undefined, (keys) => provider.papers(keys));
  await assert.rejects((await rig.client(borrowed.tls)).join(borrowed.body), { code: 'conflict' });
});

test('a machine stands at a site of its own owner alone', async () => {
  const { claimed = assert.fail() } = rig.custodian.context.owner;
  const own = await joinRig(rig, organisation, 'own-2', 'our-other-lab');
  const home = claimed.keyring.agent(own.id)?.site ?? assert.fail();
  const other = await makeProvider(organisation);
  for (const site of [home, provider.site]) {
    const false_ = joinBody(await awayCode(organisation, 'cloud-us'), undefined, (keys) =>
      other.papers(keys, undefined, site),
    );
    await assert.rejects((await rig.client(false_.tls)).join(false_.body), { code: 'conflict' });
  }
  const { code } = await organisation.client.makeJoinCode({
    name: 'own',
    site: 'cloud-eu',
    tier: 'private',
    validMs: 60_000,
  });
  const inCloud = joinBody(code);
  await assert.rejects((await rig.client(inCloud.tls)).join(inCloud.body), { code: 'conflict' });
});

test('a grant needs evidence that counts, whatever the control plane says', async () => {
  const { client } = organisation;
  assert.equal(await outcome(), REFUSED, 'none at all');
  const others = newId('site', rng);
  const near = epochMs(clock.now() + 3_600_000);
  for (const change of [
    { standard: 'soc2' as const },
    { grade: 'self-declared' as const },
    { sites: [others] },
    { provider: newId('provider', rng) },
    { until: near },
    { from: epochMs(clock.now() + 3_600_000) },
    { from: epochMs(clock.now() - 91 * 86_400_000) },
  ])
    await client.addEvidence(provider.evidence(change));
  assert.equal(await outcome(), REFUSED, 'and none of these counts');
  const document = provider.evidence();
  const listed = await client.addEvidence(document);
  assert.equal(listed.length, 8);
  assert.equal((await client.addEvidence(document)).length, 8, 'the same again is the same');
  assert.equal(await outcome(), 'granted');
  assert.equal(await outcome(90 * 86_400_000), REFUSED, 'it ends before the longest run and its grace');
  const here = (await client.evidence()).filter(
    ({ document }) => !Buffer.from(document.payload, 'base64').includes(others),
  );
  assert.equal(here.length, 7);
  assert.deepEqual(await rented.client.evidence(), here, 'agents read what is about their site');
});

test('only a pinned issuer’s documents are kept, and its own revocation ends one', async () => {
  const { client } = organisation;
  await assert.rejects(client.addEvidence(provider.evidence({}, provider.admitter)), {
    code: 'bad-statement',
  });
  const digest = statementDigest(provider.evidence({ grade: 'measured' }));
  await assert.rejects(client.revokeEvidence(digest, provider.revocation(digest)), { code: 'not-found' });
  const kept = (await client.evidence()).map(({ document }) => document);
  const good = kept.at(-1) ?? assert.fail();
  const of = statementDigest(good);
  await assert.rejects(client.revokeEvidence(of, provider.revocation(of, provider.admitter)), {
    code: 'bad-statement',
  });
  await assert.rejects(client.revokeEvidence(of, provider.revocation(digest)), { code: 'bad-statement' });
  assert.equal(await outcome(), 'granted');
  for (const document of kept) {
    const each = statementDigest(document);
    await client.revokeEvidence(each, provider.revocation(each));
  }
  assert.equal(await outcome(), REFUSED);
});

test('an issuer or admitter that the keyring no longer pins starts nothing', async () => {
  const { client } = organisation;
  await client.addEvidence(provider.evidence({ grade: 'measured' }));
  assert.equal(await outcome(), 'granted');
  const told = await messages();
  await append(organisation, { kind: 'remove-evidence-issuer', key: provider.issuer.publicKey });
  assert.equal((await messages()) - told, 1, 'the control plane hears of the one that counted until now');
  assert.equal(await outcome(), REFUSED);
  await append(organisation, { kind: 'remove-admitter', key: provider.admitter.publicKey });
  assert.match(await outcome(), /^placement: agent-admission-ended/);
});

test('what is revoked or has ended takes nobody’s place', async () => {
  const { claimed = assert.fail() } = rig.custodian.context.owner;
  const { client } = organisation;
  const { store } = rig.custodian.context;
  const of = await makeProvider(organisation);
  const at = clock.now();
  const live = (await client.evidence()).filter(({ revocation }) => revocation === null).length;
  const rows = Array.from({ length: MOST_EVIDENCE - live }, (_, place) => {
    const document = of.evidence({ until: epochMs(at + 86_400_000 + place) });
    const digest = statementDigest(document);
    return { org: claimed.org, digest, document: JSON.stringify(document), revocation: null, at };
  });
  await store.withOrg(claimed.org, (tx) => tx.insertInto('evidence').values(rows).execute());
  const more = [0, 1, 2].map((place) => of.evidence({ until: epochMs(at + 1e9 + place) }));
  const late = (place: number) => client.addEvidence(more[place] ?? assert.fail());
  await assert.rejects(late(0), { code: 'too-much' });
  const [first = assert.fail(), second = assert.fail()] = rows.map(({ digest }) => digest);
  await client.revokeEvidence(first, of.revocation(first));
  await late(0);
  assert.equal((await late(0)).length, (await client.evidence()).length, 'what is there already needs no place');
  await assert.rejects(late(1), { code: 'too-much' });
  const document = JSON.stringify(of.evidence({ from: epochMs(at - 2_000), until: epochMs(at - 1_000) }));
  await store.withOrg(claimed.org, (tx) =>
    tx.updateTable('evidence').set({ document }).where('digest', '=', second).execute(),
  );
  await late(1);
  await assert.rejects(late(2), { code: 'too-much' });
});
