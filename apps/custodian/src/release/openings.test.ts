import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { epochMs, newId, systemRng as rng, type Clock, type JobId } from '@ringfence/base';
import { systemClock } from '@ringfence/base/platform';
import type { OpeningKind, ReleaseRuleStatement } from '@ringfence/protocol/statements';
import {
  addDataset,
  ask,
  commitBody,
  depositTestJob,
  grantBody,
  joinRig,
  type TestAgent,
  type TestJob,
} from '../fixtures/agent.fixture.ts';
import { startControlPlaneDouble, type ControlPlaneDouble } from '../fixtures/control-plane-double.fixture.ts';
import { startRig, type CustodianRig } from '../fixtures/custodian-rig.fixture.ts';
import { claimRig, type TestOrganisation } from '../fixtures/organisation.fixture.ts';
import { addDevice, endOf, ruleOf, runTestJob, type TestDevice } from '../fixtures/release.fixture.ts';

const DAY_MS = 86_400_000;
const MINUTE_MS = 60_000;
let ahead = 0;
const clock: Clock = { ...systemClock, now: () => epochMs(systemClock.now() + ahead) };

let rig: CustodianRig;
let controlPlane: ControlPlaneDouble;
let organisation: TestOrganisation;
let agent: TestAgent;
/** Owners of `patients` and of `claims`. */
let hospital: TestDevice;
let insurer: TestDevice;

before(async () => {
  [rig, controlPlane] = await Promise.all([startRig({ clock }), startControlPlaneDouble()]);
  organisation = await claimRig(rig, controlPlane);
  agent = await joinRig(rig, organisation);
  hospital = await addDevice(rig, organisation);
  insurer = await addDevice(rig, organisation);
  for (const [name, { client }] of Object.entries({ patients: hospital, claims: insurer }))
    await addDataset(rig, { ...organisation, client }, { name, text: `${name}\n`, sensitivity: 'restricted' });
});
after(async () => {
  await rig.close();
  await controlPlane.close();
});

type Options = NonNullable<Parameters<typeof depositTestJob>[2]>;
const runs = (mounts: string[], output: string, more: Options = {}): Promise<JobId> =>
  runTestJob({ rig, organisation, controlPlane, agent }, { mounts, outputs: [output], ...more });
const asked = (artifact: string) =>
  organisation.client.release.request({
    of: [{ artifact }],
    purpose: 'research',
    recipients: { org: organisation.org },
    validMs: DAY_MS,
  });
const rule = async (
  owner: TestDevice,
  dataset: string,
  kinds: OpeningKind[],
  more: Partial<ReleaseRuleStatement> = {},
) => {
  const { artifact } =
    (await organisation.client.artifacts()).find(({ name }) => name === dataset) ?? assert.fail(dataset);
  const envelope = ruleOf(organisation, owner, { scope: { dataset: artifact }, kinds, ...more });
  await owner.client.release.addRule(envelope);
  return envelope;
};
const closed = { code: 'not-released' };

const starts = async (mounts: string[]): Promise<TestJob> => {
  const made = await depositTestJob(rig, organisation, { mounts });
  assert.equal((await ask(agent, grantBody(controlPlane, agent, made, { attempt: 1 }))).result, 'granted');
  return made;
};

test('who owns a dataset that becomes restricted later, or is erased, does not take the place of whoever ordered a restricted job', async () => {
  const adds = (name: string, sensitivity: 'internal' | 'restricted') =>
    addDataset(rig, { ...organisation, client: insurer.client }, { name, text: `${name} ${sensitivity}`, sensitivity });
  for (const name of ['weather', 'tides']) await adds(name, 'internal');
  for (const name of ['weather', 'tides']) await runs([name], `${name}-forecast`, { wish: 'restricted' });
  const owners = async (name: string) => {
    const { sources } = await asked(`${name}-forecast`);
    return sources.flatMap((source) => source.owners).toSorted();
  };
  const both = [organisation.device, insurer.device].toSorted();
  assert.deepEqual(await owners('weather'), [organisation.device]);
  await adds('weather', 'restricted');
  assert.deepEqual(await owners('weather'), both);
  await insurer.client.data.erase({ name: 'tides', derived: false, dryRun: false });
  assert.deepEqual(await owners('tides'), both);
  await rule(insurer, 'weather', ['artifact']);
  await assert.rejects(insurer.client.openArtifact('weather-forecast'), closed);
  await runs(['patients'], 'by-data', { wish: 'restricted' });
  assert.deepEqual(
    (await asked('by-data')).sources.map((source) => source.owners),
    [[hospital.device]],
    'a wish that the data makes anyhow adds nobody',
  );
});

test('each command and each copy counts; a log that is looked at again counts once for ten minutes from the first look', async () => {
  const { body } = await starts(['patients']);
  const { device } = organisation;
  const enters = async (kind: 'exec' | 'copy-out') =>
    (await agent.client.enter({ job: body.job, attempt: 1, device, kind })).result;
  const follows = async (by = device) =>
    (await agent.client.release.opening({ job: body.job, attempt: 1, device: by, kind: 'logs' })).result;
  const two = await rule(hospital, 'patients', ['exec', 'copy'], { mostOpenings: 2 });
  assert.deepEqual(
    [await enters('exec'), await enters('exec'), await enters('exec'), await enters('copy-out')],
    ['allowed', 'allowed', 'refused', 'refused'],
  );
  await hospital.client.release.end(endOf(organisation, hospital, two));
  const once = await rule(hospital, 'patients', ['logs'], { mostOpenings: 1 });
  assert.deepEqual([await follows(), await follows()], ['opened', 'opened']);
  assert.equal(await follows(insurer.device), 'refused', 'somebody else');
  for (const minutes of [6, 3, 2]) {
    ahead += minutes * MINUTE_MS;
    assert.equal(await follows(), ahead < 10 * MINUTE_MS ? 'opened' : 'refused', 'looking does not make it longer');
  }
  ahead = 0;
  assert.equal(await follows(), 'opened');
  await hospital.client.release.end(endOf(organisation, hospital, once));
  assert.equal(await follows(), 'refused', 'an ended rule ends what goes on');
});

test('a preview spends of the rules of other owners, unless it is not given', async () => {
  await runs(['patients', 'claims'], 'joined');
  const request = await asked('joined');
  const look = async () => (await hospital.client.release.review(request.request, { preview: true })).preview?.length;
  const once = await rule(insurer, 'claims', ['artifact'], { mostOpenings: 1 });
  assert.deepEqual([await look(), await look()], [1, undefined]);
  await insurer.client.release.end(endOf(organisation, insurer, once));
});

test('what has expired is shown in no preview, and a log that has expired is read by nobody, before any sweep', async () => {
  await runs(['patients'], 'brief');
  const request = await asked('brief');
  const look = async () => (await hospital.client.release.review(request.request, { preview: true })).preview?.length;
  assert.equal(await look(), 1);
  await organisation.client.data.setRetention({ of: { name: 'brief' }, keepMs: DAY_MS });
  const made = await starts([]);
  const { body } = made;
  const { outputs } = await commitBody(organisation, agent, made, {
    attempt: 1,
    outputs: [{ path: '/o', artifact: newId('artifact', rng), version: 1 }],
  });
  const { pack, bytes } = outputs[0] ?? assert.fail();
  await agent.client.storeLog({ job: body.job, attempt: 1, pack, bytes });
  await organisation.client.data.setRetention({ of: { logs: true }, keepMs: DAY_MS });
  const logs = async () => (await organisation.client.sealedLogs(body.job, 1)).logs.length;
  assert.equal(await logs(), 1);
  ahead = DAY_MS + 1_000;
  assert.deepEqual([await look(), await logs()], [undefined, 0]);
  ahead = 0;
});
