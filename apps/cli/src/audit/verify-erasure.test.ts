import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { canonicalBytes, canonicalJson, newId, type ArtifactId } from '@ringfence/base';
import { sha256Hex, type SigningKey } from '@ringfence/crypto/sign';
import { signStatement } from '@ringfence/keyring';
import { SampleOrganisation } from '@ringfence/keyring/samples';
import type { ErasedVersion } from '@ringfence/protocol/statements';
import { recogniseFile } from './recognise-file.ts';
import { verifyErasureFile } from './verify-erasure.ts';

const folder = mkdtempSync(join(tmpdir(), 'rf-erasure-'));
after(() => rmSync(folder, { recursive: true, force: true }));

const sample = new SampleOrganisation('erasures');
const { rng, org, now } = sample;
const custodian = sample.addCustodian();
const device = sample.addDevice('officer');
const said = { v: 1, org, custodian: custodian.id, device: device.id, at: now } as const;

const version = (at: number): ErasedVersion => ({
  artifact: newId('artifact', rng) as ArtifactId,
  version: at,
  manifest: sha256Hex(canonicalBytes([at])),
});
const listed = (list: ErasedVersion[]) => ({ count: list.length, digest: sha256Hex(canonicalBytes(list)) });
const [versions, derived] = [[version(1), version(2)], [version(3)]];

function reportBy(key: SigningKey, of = said) {
  const counts = { objects: 2, shared: 0, logs: 0, grants: 0, derivedLogs: 0, inPlace: 0 };
  const body = { ...of, ...counts, versions: listed(versions), derived: listed(derived) };
  return signStatement('erasure', body, [key]);
}

function judged(content: object) {
  const file = join(folder, 'report.json');
  writeFileSync(file, `${canonicalJson(content as never)}\n`);
  assert.equal(recogniseFile(file), 'erasure');
  return verifyErasureFile(file, sample.keyring);
}

test('a report of an erasure is the custodian’s, with the lists that were signed and no other', () => {
  const report = reportBy(custodian.enrolment);
  const { lines } = judged({ report, versions, derived });
  assert.equal(lines.length, 4);
  const otherVersion = [{ ...derived[0], version: 4 }];
  for (const content of [
    { report, versions: versions.slice(1), derived },
    { report, versions: versions.toReversed(), derived },
    { report, versions, derived: otherVersion },
    { report, versions, derived: [] },
    { report: reportBy(device.sign), versions, derived },
    { report: reportBy(sample.root), versions, derived },
    { report: reportBy(custodian.enrolment, { ...said, org: newId('org', rng) }), versions, derived },
  ])
    assert.throws(() => judged(content), { code: 'check-failed' });
  assert.throws(() => judged({ report, versions }), { code: 'bad-file' });
});

test('a report as long as an organisation’s whole data is recognised by its beginning', () => {
  const many = Array.from({ length: 2_000 }, (_, at) => version(at + 1));
  assert.throws(() => judged({ report: reportBy(custodian.enrolment), versions: many, derived: many }), {
    code: 'check-failed',
  });
});

test('a report about a member is the custodian’s, too', () => {
  const member = newId('member', rng);
  const body = { ...said, member, devices: 1, factors: 2, subjectKey: true };
  const report = (key: SigningKey) => signStatement('member-erasure', body, [key]);
  assert.match(judged({ report: report(custodian.enrolment) }).lines.join(), new RegExp(member));
  for (const key of [device.sign, sample.root])
    assert.throws(() => judged({ report: report(key) }), { code: 'check-failed' });
});
