import assert from 'node:assert/strict';
import { createWriteStream, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { after, before, test } from 'node:test';
import { epochMs, silentLog, systemRng as rng } from '@ringfence/base';
import { openStateFolder, systemClock as clock } from '@ringfence/base/platform';
import { removeEmbedded } from '@ringfence/store';
import { runAsSuperuser } from '@ringfence/store/test-database';
import { addDataset, ask, depositTestJob, grantBody, joinRig, type TestAgent } from '../fixtures/agent.fixture.ts';
import { startControlPlaneDouble, type ControlPlaneDouble } from '../fixtures/control-plane-double.fixture.ts';
import { startRig, type CustodianRig } from '../fixtures/custodian-rig.fixture.ts';
import { claimRig, type TestOrganisation } from '../fixtures/organisation.fixture.ts';
import { restoreBackup } from './restore-backup.ts';

const PASSPHRASE = 'correct horse battery staple';
let folder: string;
let database: string;
let rig: CustodianRig;
let controlPlane: ControlPlaneDouble;
let organisation: TestOrganisation;
let agent: TestAgent;
before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'rf-backup-'));
  const prepare = async (_: string, url: string): Promise<void> => void (database = url);
  [rig, controlPlane] = await Promise.all([startRig({ prepare }), startControlPlaneDouble()]);
  organisation = await claimRig(rig, controlPlane);
  agent = await joinRig(rig, organisation);
});
after(async () => {
  await rig.close();
  await controlPlane.close();
  rmSync(folder, { recursive: true, force: true });
});

function restoreInto(state: string, databaseUrl: string | undefined, from: string, passphrase = PASSPHRASE) {
  openStateFolder({ path: state, role: 'custodian', version: 1 });
  const vault = { state, sealKeyFile: join(state, 'seal.key'), passphrase: undefined, rng };
  return restoreBackup({
    state,
    from,
    passphrase,
    vault,
    databaseUrl,
    registration: undefined,
    clock,
    rng,
    log: silentLog,
    fault: () => {},
  });
}

test('a restored custodian has everything, and nothing that was granted before counts', async () => {
  await addDataset(rig, organisation, { name: 'admissions', text: 'marker-of-the-rows\n' });
  const service = { port: 8_000, api: 'http', replicas: { min: 1, max: 1 } } as const;
  const replica = await depositTestJob(rig, organisation, { type: 'serve', name: 'triage-endpoint', service });
  await organisation.client.registerEndpoint({ name: 'triage-endpoint', service, jobs: [replica.body.job] });
  await organisation.client.allowGateway(agent.id, true);
  const expires = epochMs(clock.now() + 3_600_000);
  await organisation.client.mintToken('triage-endpoint', { name: 'ward-7', expires, limits: { concurrency: 2 } });
  const { tokens } = (await agent.client.gatewayView(-1)).endpoints[0] ?? {};
  const { issuer } = await organisation.client.endpoints();
  const made = await depositTestJob(rig, organisation, { mounts: ['admissions'], outputs: ['model'] });
  const body = grantBody(controlPlane, agent, made, { attempt: 1 });
  assert.equal((await ask(agent, body)).result, 'granted');
  const lineage = (of: CustodianRig) =>
    of.custodian.context.store.withOrg(organisation.org, (tx) =>
      tx.selectFrom('privacy_lineage').select(['artifact', 'source', 'cause']).execute(),
    );
  const kin = await lineage(rig);
  assert.equal(kin.length, 1);
  // As an archive of a release before leaves it.
  await runAsSuperuser(database, 'truncate rf_cu.privacy_lineage');
  const archive = join(folder, 'backup');
  await pipeline(await organisation.client.backup({ passphrase: PASSPHRASE }), createWriteStream(archive));
  assert.ok((await organisation.client.status()).lastBackupAt !== null);
  for (const secret of ['marker-of-the-rows', 'admissions', 'secret-readmission-name', 'triage-endpoint', 'ward-7'])
    assert.equal(readFileSync(archive).includes(secret), false, 'the archive shows nothing');
  const prepare = async (state: string, databaseUrl: string): Promise<void> => {
    await restoreInto(state, databaseUrl, archive);
  };
  const restored = await startRig({ prepare });
  try {
    const { claimed } = restored.custodian.context.owner;
    assert.equal(claimed?.epoch, 2);
    assert.deepEqual(await lineage(restored), kin, 'what outputs were made of is found again');
    assert.equal(claimed?.keyring.head.digest, rig.custodian.context.owner.claimed?.keyring.head.digest);
    const client = await restored.client(organisation.tls);
    assert.equal((await client.artifacts())[0]?.name, 'admissions');
    assert.equal((await client.jobs())[0]?.name, 'secret-readmission-name');
    const { pack } = await client.openArtifact('admissions');
    const bytes = await (await client.object(pack.manifest)).toArray();
    assert.ok(Buffer.concat(bytes as Buffer[]).length > 0);
    const shown = await client.endpoints();
    assert.equal(shown.issuer, issuer, 'callers pin the same issuer');
    assert.deepEqual(
      shown.endpoints.map(({ name, replicas }) => [name, replicas.map(({ job }) => job)]),
      [['triage-endpoint', [replica.body.job]]],
    );
    const moved = { ...agent, client: await restored.client(agent.tls) };
    const view = await moved.client.gatewayView(-1);
    assert.deepEqual(view.endpoints[0]?.tokens, tokens, 'callers keep their tokens, and gateways their leave');
    assert.deepEqual(await ask(moved, body), { result: 'refused', reason: 'epoch' });
    assert.deepEqual(await moved.client.commit({ job: made.body.job, attempt: 1, outputs: [] }), {
      result: 'refused',
      reason: 'not-current',
    });
  } finally {
    await restored.close();
  }
});

test('a wrong passphrase, a changed byte and a cut archive restore nothing', async () => {
  const archive = join(folder, 'good');
  await pipeline(await organisation.client.backup({ passphrase: PASSPHRASE }), createWriteStream(archive));
  const bytes = readFileSync(archive);
  const changed = Buffer.from(bytes);
  changed[changed.length - 100] = (changed[changed.length - 100] ?? 0) ^ 1;
  const cases: readonly (readonly [string, Buffer, string])[] = [
    ['wrong-passphrase', bytes, 'another passphrase'],
    ['changed', changed, PASSPHRASE],
    ['cut', bytes.subarray(0, bytes.length - 20), PASSPHRASE],
    ['no-archive', Buffer.from('nothing'), PASSPHRASE],
  ];
  for (const [name, content, passphrase] of cases) {
    const [from, state] = [join(folder, name), join(folder, `${name}-state`)];
    writeFileSync(from, content);
    await assert.rejects(restoreInto(state, undefined, from, passphrase), { code: 'bad-backup' }, name);
    await removeEmbedded({ stateDir: state, clock });
  }
});
