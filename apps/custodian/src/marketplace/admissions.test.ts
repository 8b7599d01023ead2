import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { epochMs, type AgentId } from '@ringfence/base';
import { systemClock as clock } from '@ringfence/base/platform';
import { joinRig, type TestAgent } from '../fixtures/agent.fixture.ts';
import { startControlPlaneDouble, type ControlPlaneDouble } from '../fixtures/control-plane-double.fixture.ts';
import { startRig, type CustodianRig } from '../fixtures/custodian-rig.fixture.ts';
import { claimRig, type TestOrganisation } from '../fixtures/organisation.fixture.ts';
import { append, joinAway, makeProvider, type TestProvider } from '../fixtures/provider.fixture.ts';
import { announceUntold } from './admission-notice.ts';

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

const owner = () => rig.custodian.context.owner.claimed ?? assert.fail();
const admitted = (agent = rented.id) => owner().keyring.agent(agent)?.admitted ?? assert.fail();
const inStore: CustodianRig['custodian']['context']['store']['withOrg'] = (...of) =>
  rig.custodian.context.store.withOrg(...of);

/** Until when the control plane was told that a machine is admitted. */
async function told(agent: AgentId = rented.id): Promise<number | null> {
  const row = await inStore(owner().org, (tx) =>
    tx.selectFrom('agent').select('admission_told').where('agent', '=', agent).executeTakeFirstOrThrow(),
  );
  return row.admission_told;
}

/** How many messages to the control plane there ever were. */
async function messages(): Promise<number> {
  const row = await inStore(owner().org, (tx) =>
    tx.selectFrom('organisation').select('outbox_seq').executeTakeFirstOrThrow(),
  );
  return row.outbox_seq;
}

const papers = ({ id, sign, tls, seal }: TestAgent, days: number, by = provider) => ({
  admitted: by.papers({ sign: sign.publicKey, tls: tls.publicKey, seal: seal.publicKey }, id, by.site, days),
});

test('the control plane is told until when a machine is admitted, as it joins and as its papers are renewed by a member or itself', async () => {
  assert.equal(await told(), admitted().until);
  const before = admitted().until;
  await organisation.client.renewAdmission(rented.id, papers(rented, 100));
  assert.ok(admitted().until > before);
  assert.equal(await told(), admitted().until);
  await rented.client.renewAdmission(rented.id, papers(rented, 200));
  assert.ok(admitted().until > clock.now() + 199 * 86_400_000);
  assert.equal(await told(), admitted().until);
  const home = await joinRig(rig, organisation, 'own-1', 'lab');
  assert.equal(await told(home.id), null);
});

test('papers that do not count, and another machine’s, renew nothing', async () => {
  const { client } = organisation;
  const { until } = admitted();
  await assert.rejects(
    client.renewAdmission(rented.id, papers(rented, 90)),
    { code: 'bad-statement' },
    'they end sooner',
  );
  const other = await makeProvider(organisation);
  await assert.rejects(client.renewAdmission(rented.id, papers(rented, 300, other)), { code: 'bad-statement' });
  const second = await joinAway(rig, organisation, provider);
  await assert.rejects(client.renewAdmission(rented.id, papers(second, 300)), { code: 'bad-statement' });
  await assert.rejects(second.client.renewAdmission(rented.id, papers(rented, 300)), { code: 'not-authorised' });
  assert.equal(admitted().until, until);
  assert.equal(await told(), until);
});

test('what an earlier release did not tell is told once, as the custodian begins', async () => {
  const { context } = rig.custodian;
  await organisation.client.addEvidence(provider.evidence());
  await inStore(owner().org, async (tx) => {
    await tx.updateTable('agent').set({ admission_told: null }).where('agent', '=', rented.id).execute();
    await tx.updateTable('evidence').set({ provider_told: false }).execute();
  });
  const before = await messages();
  for (const _ of ['first', 'again']) await announceUntold(context, owner().org, owner().keyring);
  assert.equal((await messages()) - before, 2, 'the machine and the document');
  assert.equal(await told(), admitted().until);
});

test('a document that is brought again is told again, unless it is revoked', async () => {
  const document = provider.evidence({ until: epochMs(clock.now() + 1e9) });
  await organisation.client.addEvidence(document);
  const before = await messages();
  await organisation.client.addEvidence(document);
  assert.equal((await messages()) - before, 1);
});

test('when its admitter is removed, the control plane is told that all that it admitted has ended', async () => {
  await append(organisation, { kind: 'remove-admitter', key: provider.admitter.publicKey });
  assert.equal(await told(), 0);
  assert.ok(admitted().until <= clock.now());
});
