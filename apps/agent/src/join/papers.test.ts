import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { epochMs, newId, noFault, silentLog, systemRng as rng } from '@ringfence/base';
import { systemClock as clock } from '@ringfence/base/platform';
import { RecordKey } from '@ringfence/crypto/record';
import { SigningKey } from '@ringfence/crypto/sign';
import { samplePapers } from '@ringfence/keyring/sample-papers';
import { IDS } from '../attempt/members.fixture.ts';
import { openIdentity } from '../identity/agent-identity.ts';
import { linkFolder } from '../link/joined-link.ts';
import { custodianAtJoin } from './custodian-at-join.fixture.ts';
import { joinOrganisation } from './join-organisation.ts';
import { preparedFolder, prepareKeys, readPapers, type MachineKeys } from './papers.ts';

function papersFor(keys: MachineKeys) {
  const [authority, admitter] = [SigningKey.generate(rng), SigningKey.generate(rng)];
  const span = { from: clock.now(), until: epochMs(clock.now() + 3_600_000) };
  const provider = { provider: newId('provider', rng), tier: 'secure-cloud', authority, admitter, ...span } as const;
  return samplePapers(provider, { agent: IDS.agent, site: IDS.site, ...keys });
}

test('a provider’s machine joins with the keys that were printed, and with no others', async (t) => {
  const state = mkdtempSync(join(tmpdir(), 'ringfence-papers-'));
  t.after(() => rmSync(state, { recursive: true, force: true }));
  const { code } = await custodianAtJoin(t, {});
  const key = RecordKey.generate(rng);
  const printed = await prepareKeys(state, key, { clock, rng });
  assert.deepEqual(await prepareKeys(state, key, { clock, rng }), printed, 'printed again, they are the same');
  const { admission, machine } = papersFor(printed);
  const files = { admission: join(state, 'admission.json'), machine: join(state, 'machine.json') };
  writeFileSync(files.admission, JSON.stringify(admission));
  writeFileSync(files.machine, JSON.stringify(machine));
  assert.throws(() => readPapers({ ...files, machine: undefined }), { code: 'bad-config' });
  assert.throws(() => readPapers({ admission: files.machine, machine: files.admission }), { code: 'bad-config' });
  const admitted = readPapers(files);
  assert.deepEqual(admitted, { admission, machine });

  const options = { state, code, key, allowProcess: false, lan: undefined, outer: {}, clock, rng, log: silentLog };
  const other = { ...printed, sign: SigningKey.generate(rng).publicKey };
  const go = (papers: typeof admitted) => joinOrganisation({ ...options, fault: noFault, admitted: papers });
  await assert.rejects(go(papersFor(other)), { code: 'bad-config' });
  const link = await go(admitted);
  const identity = openIdentity(linkFolder(state, link.controlPlane.id), key);
  assert.equal(identity.sign.publicKey, printed.sign);
  assert.ok(!existsSync(preparedFolder(state)), 'no keys serve two organisations');
  assert.notEqual((await prepareKeys(state, key, { clock, rng })).sign, printed.sign);
});

test('a refusal for another reason than the code is told as what it is, with the custodian’s next step', async (t) => {
  const state = mkdtempSync(join(tmpdir(), 'ringfence-papers-'));
  t.after(() => rmSync(state, { recursive: true, force: true }));
  const key = RecordKey.generate(rng);
  const refused = async (code: string) => {
    const refuses = { code, message: 'papers have ended', next: 'make new papers' };
    const { code: joinCode } = await custodianAtJoin(t, { refuses });
    const options = { state, key, allowProcess: false, lan: undefined, outer: {}, clock, rng, log: silentLog };
    return joinOrganisation({ ...options, code: joinCode, fault: noFault, admitted: undefined });
  };
  await assert.rejects(refused('bad-statement'), { code: 'join-refused', next: 'make new papers' });
  await assert.rejects(refused('bad-code'), { code: 'bad-code', next: /ringfence agent join-code/ });
});
