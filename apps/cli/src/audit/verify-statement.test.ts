import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { epochMs, newId, toBase64Url } from '@ringfence/base';
import type { Digest, Envelope, SigningKey } from '@ringfence/crypto/sign';
import { signStatement } from '@ringfence/keyring';
import { SampleOrganisation } from '@ringfence/keyring/samples';
import type { StatementBody, StatementName } from '@ringfence/protocol/statements';
import { recogniseFile } from './recognise-file.ts';
import { verifyStatementFile } from './verify-kinds.ts';

const folder = mkdtempSync(join(tmpdir(), 'rf-verify-'));
after(() => rmSync(folder, { recursive: true, force: true }));

const sample = new SampleOrganisation('words');
const { rng, org, now } = sample;
const custodian = sample.addCustodian();
const [device, other] = [sample.addDevice(), sample.addDevice()];
const agent = sample.addAgent();
/** Words of agents. */
const AGENTS: readonly StatementName[] = ['stopped', 'deletion'];
const attempt = { job: newId('job', rng), attempt: 1 };
const sha256 = 'ab'.repeat(32) as Digest;
const list = { count: 1, digest: sha256 };
const ofCustodian = { v: 1, org, custodian: custodian.id, device: device.id, at: now } as const;
const ofDevice = { v: 1, org, device: device.id, at: now } as const;
const request = newId('release', rng);
const recipients = { org };
const notAfter = epochMs(now + 1_000);

interface Word {
  readonly name: StatementName;
  readonly body: { readonly org: typeof org };
  readonly by: SigningKey;
}

/** A word, with the key of whom it names. */
function word<Name extends StatementName>(name: Name, body: StatementBody<Name> & { org: typeof org }): Word {
  if (AGENTS.includes(name)) return { name, body, by: agent.sign };
  return { name, body, by: 'custodian' in body ? custodian.enrolment : device.sign };
}

const WORDS: readonly Word[] = [
  word('tombstone', {
    ...ofCustodian,
    kind: 'project',
    project: newId('project', rng),
    projectKeys: 1,
    dataKeys: 2,
    organisationKey: 'destroyed',
  }),
  word('erasure', {
    ...ofCustodian,
    versions: list,
    objects: 1,
    shared: 0,
    logs: 0,
    grants: 0,
    derived: list,
    derivedLogs: 0,
    inPlace: 0,
  }),
  word('member-erasure', {
    ...ofCustodian,
    member: newId('member', rng),
    devices: 1,
    factors: 1,
    subjectKey: true,
  }),
  word('release-receipt', {
    ...ofCustodian,
    kind: 'artifact',
    job: null,
    digest: sha256,
    decision: 'opened',
    words: [sha256],
    reasons: [],
    salt: toBase64Url(rng.bytes(32)) as StatementBody<'release-receipt'>['salt'],
  }),
  word('export', { ...ofCustodian, lines: list }),
  word('keyring-head', { v: 1, org, custodian: custodian.id, seq: 1, digest: sha256, epoch: 1, at: now }),
  word('label', {
    v: 1,
    org,
    job: attempt.job,
    custodian: custodian.id,
    sensitivity: 'internal',
    residency: [],
    at: now,
    notAfter,
  }),
  word('commit', {
    v: 1,
    org,
    ...attempt,
    agent: agent.id,
    custodian: custodian.id,
    epoch: 1,
    sensitivity: 'internal',
    outputs: [],
    at: now,
  }),
  word('stopped', { v: 1, org, ...attempt, agent: agent.id, outcome: 'succeeded', at: now }),
  word('deletion', { v: 1, org, agent: agent.id, request: newId('deletion', rng), attempts: [attempt], at: now }),
  word('fence', { ...ofDevice, ...attempt }),
  word('release', {
    ...ofDevice,
    request,
    decision: 'released',
    digests: [sha256],
    purpose: 'care',
    recipients,
    notAfter,
  }),
  word('release-rule', {
    ...ofDevice,
    rule: request,
    scope: { job: newId('job', rng) },
    kinds: ['logs'],
    recipients,
    notAfter,
  }),
  word('release-end', { ...ofDevice, word: sha256 }),
  word('export-manifest', { ...ofDevice, files: list }),
];

function judged(envelope: Envelope) {
  const file = join(folder, 'word.json');
  writeFileSync(file, JSON.stringify(envelope));
  assert.equal(recogniseFile(file), 'statement');
  return verifyStatementFile(file, sample.keyring);
}

const signed = ({ name, body }: Word, by: SigningKey): Envelope => signStatement(name, body as never, [by]);

for (const one of WORDS)
  test(`${one.name}: counts by the key of whom it names, and by no other of the keyring`, () => {
    const { value } = judged(signed(one, one.by));
    const who =
      new Map<SigningKey, string>([
        [device.sign, device.id],
        [agent.sign, agent.id],
      ]).get(one.by) ?? 'the custodian';
    assert.deepEqual(value, { kind: 'statement', name: one.name, signers: [who], body: one.body });
    const strangers = [
      other.sign,
      sample.root,
      sample.key(),
      one.by === device.sign ? custodian.enrolment : device.sign,
    ];
    for (const stranger of strangers) assert.throws(() => judged(signed(one, stranger)), { code: 'check-failed' });
    const elsewhere = { ...one, body: { ...one.body, org: newId('org', rng) } };
    assert.throws(() => judged(signed(elsewhere, one.by)), { code: 'check-failed' });
  });

test('a custodian’s word counts by what was delegated to that one, when it says that it was made', () => {
  const second = sample.addCustodian();
  const erasure = WORDS.find(({ name }) => name === 'erasure') ?? assert.fail();
  assert.throws(() => judged(signed(erasure, second.enrolment)), { code: 'check-failed' });
  const early = { ...erasure, body: { ...erasure.body, custodian: second.id, at: epochMs(now + 1_001 * 3_600_000) } };
  assert.throws(() => judged(signed(early, second.enrolment)), { code: 'check-failed' });
});

test('nobody in the keyring can have said what a control plane says', () => {
  const keys = { root: sample.key().publicKey, frames: sample.key().publicKey, leases: sample.key().publicKey };
  const body = { v: 1, controlPlane: newId('controlPlane', rng), ...keys, at: now, notAfter } as const;
  for (const by of [device.sign, sample.root, custodian.enrolment])
    assert.throws(() => judged(signStatement('control-plane-keys', body, [by])), {
      code: 'check-failed',
      message: /control plane/,
    });
});
