import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { until } from '@ringfence/base/until';
import { exportLog } from '@ringfence/client/api';
import { statementDigest, type Envelope } from '@ringfence/crypto/sign';
import { readAuditEntry, splitBundle, trustInLog, verifyLines, type AuditEntry } from '@ringfence/ledger/tlog';
import { foldKeyring, checkCommit } from '@ringfence/keyring';
import { startControlPlaneDouble, type ControlPlaneDouble } from './fixtures/control-plane-double.fixture.ts';
import { startRig, type CustodianRig } from './fixtures/custodian-rig.fixture.ts';
import { claimRig, type TestOrganisation } from './fixtures/organisation.fixture.ts';
import {
  addDataset,
  ask,
  commitBody,
  depositTestJob,
  grantBody,
  joinRig,
  openGrant,
  stoppedBy,
} from './fixtures/agent.fixture.ts';

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

test('a job goes from its dataset to its committed result', async () => {
  const agent = await joinRig(rig, organisation);
  await addDataset(rig, organisation, { name: 'admissions', sensitivity: 'internal' });
  const made = await depositTestJob(rig, organisation, { mounts: ['admissions'], outputs: ['readmission-model'] });
  const request = grantBody(controlPlane, agent, made, { attempt: 1 });
  const answer = await ask(agent, request);
  assert.equal(answer.result, 'granted');
  if (answer.result !== 'granted') return;
  const payload = await openGrant(organisation, agent, made, { attempt: 1, payload: answer.payload });
  assert.deepEqual(payload.workload, made.workload);
  assert.equal(payload.mounts[0]?.path, '/data0');
  const again = await ask(agent, request);
  assert.deepEqual(again, answer, 'the same agent asking again gets the same grant');
  const commit = await commitBody(organisation, agent, made, { attempt: 1, outputs: payload.outputs });
  const committed = await agent.client.commit(commit);
  assert.equal(committed.result, 'committed');
  if (committed.result !== 'committed') return;
  const { statements } = await organisation.client.keyring(-1);
  const context = { keyring: foldKeyring(statements, organisation.root.publicKey) };
  assert.equal(checkCommit(committed.commit, { job: made.body.job, attempt: 1, agent: agent.id }, context).allow, true);
  assert.deepEqual(await agent.client.commit(commit), committed);
  await agent.client.stopped(stoppedBy(agent, made, 1, 'succeeded'));
  const shown = await organisation.client.job(made.body.job);
  assert.equal(shown.row.name, 'secret-readmission-name');
  assert.equal(shown.outputs[0]?.name, 'readmission-model');
  assert.equal(shown.outputs[0]?.sensitivity, 'internal');
  const opened = await organisation.client.openArtifact('readmission-model');
  assert.equal(opened.pack.manifest, commit.outputs[0]?.pack.manifest);
  await assertLogged(answer.grant);
});

/** The log has all events of the ledger, its key is enough to verify it, and the grant is in it by its digest. */
async function assertLogged(grant: Envelope): Promise<void> {
  const { client } = organisation;
  const entries = async (): Promise<AuditEntry[]> => {
    const { size } = await client.audit();
    const bundle = size === 0 ? undefined : await client.auditTile('entries', 0, Math.min(size, 256));
    return (splitBundle(bundle ?? new Uint8Array()) ?? []).flatMap((bytes) => readAuditEntry(bytes) ?? []);
  };
  await until(async () => (await entries()).at(-1)?.action === 'stopped');
  const head = await client.audit();
  const verdict = await verifyLines(exportLog(client, head), { trust: trustInLog(head.key) ?? assert.fail() });
  assert.ok(verdict.ok, JSON.stringify(verdict));
  const granted = (await entries()).find(({ action }) => action === 'granted');
  assert.ok(granted?.statements.includes(statementDigest(grant)));
  assert.equal(granted?.outcome, 'done');
}
