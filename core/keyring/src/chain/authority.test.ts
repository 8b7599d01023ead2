import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { epochMs, newId } from '@ringfence/base';
import type { SigningKey } from '@ringfence/crypto/sign';
import type { KeyringChange } from '@ringfence/protocol/statements';
import { HOUR_MS, SampleOrganisation } from '../sample-organisation.fixture.ts';
import { extendKeyring } from './fold.ts';

const sample = new SampleOrganisation('authority');
const officers = [sample.addDevice('officer'), sample.addDevice('officer'), sample.addDevice('officer')] as const;
const plain = sample.addDevice();
const bound = sample.addDevice();
for (const role of ['owner', 'officer', 'auditor'] as const) sample.add({ kind: 'bind-role', device: bound.id, role });
const gone = sample.addDevice('officer');
const custodian = sample.addCustodian();
const lapsing = sample.addCustodian(HOUR_MS);
const limited = sample.addCustodian();
sample.add({
  kind: 'delegate',
  custodian: limited.id,
  key: limited.enrolment.publicKey,
  may: ['head', 'label', 'grant', 'commit'],
  notAfter: epochMs(sample.now + 1000 * HOUR_MS),
});
const agent = sample.addAgent(custodian.enrolment);
const [admitter, issuer] = [sample.key().publicKey, sample.key().publicKey];
sample.add({ kind: 'add-admitter', key: admitter, tier: 'secure-cloud' });
sample.add({ kind: 'add-evidence-issuer', key: issuer, standards: ['soc2'] });
const peer = newId('org', sample.rng);
sample.add({ kind: 'add-peer', org: peer, root: sample.key().publicKey });
sample.add({ kind: 'remove', subject: gone.id, reason: 'left' });
sample.now = epochMs(sample.now + 2 * HOUR_MS);

const newRoot = sample.key();
const recovery = { threshold: 2, keys: sample.recovery.map(({ publicKey }) => publicKey) };
const { rng } = sample;
const [r1, r2] = sample.recovery as [SigningKey, SigningKey, SigningKey];
const SIGNERS: Readonly<Record<string, readonly SigningKey[]>> = {
  root: [sample.root],
  'root+new': [sample.root, newRoot],
  'recovery+new': [r1, r2, newRoot],
  recovery: [r1, r2],
  'one recovery key+new': [r1, newRoot],
  'one recovery key twice+new': [r1, r1, newRoot],
  officer: [officers[0].sign],
  'two officers': [officers[0].sign, officers[1].sign],
  'one officer twice': [officers[0].sign, officers[0].sign],
  'officer+plain device': [officers[0].sign, plain.sign],
  'plain device': [plain.sign],
  'removed officer': [gone.sign],
  enrolment: [custodian.enrolment],
  'lapsed enrolment': [lapsing.enrolment],
  'limited enrolment': [limited.enrolment],
  'custodian identity': [custodian.sign],
  agent: [agent.sign],
  stranger: [sample.key()],
};
const device = () => ({ device: newId('device', rng), sign: sample.key().publicKey, tls: sample.tls() });
const party = () => ({ sign: sample.key().publicKey, tls: sample.tls(), seal: sample.seal() });
const ROWS: readonly (readonly [string, () => KeyringChange, readonly string[]])[] = [
  ['add-device', () => ({ kind: 'add-device', ...device() }), ['root', 'officer']],
  ['add-officer', () => ({ kind: 'add-officer', device: plain.id }), ['root', 'two officers']],
  ['bind-role', () => ({ kind: 'bind-role', device: plain.id, role: 'ml-engineer' }), ['root', 'officer']],
  ['bind-role owner', () => ({ kind: 'bind-role', device: plain.id, role: 'owner' }), ['root', 'two officers']],
  ['bind-role officer', () => ({ kind: 'bind-role', device: plain.id, role: 'officer' }), ['root', 'two officers']],
  ['unbind-role', () => ({ kind: 'unbind-role', device: bound.id, role: 'auditor' }), ['root', 'officer']],
  ['unbind-role owner', () => ({ kind: 'unbind-role', device: bound.id, role: 'owner' }), ['root', 'two officers']],
  ['unbind-role officer', () => ({ kind: 'unbind-role', device: bound.id, role: 'officer' }), ['root', 'two officers']],
  ['add-custodian', () => ({ kind: 'add-custodian', custodian: newId('custodian', rng), ...party() }), ['root']],
  [
    'delegate',
    () => ({
      kind: 'delegate',
      custodian: custodian.id,
      key: sample.key().publicKey,
      may: ['head'],
      notAfter: epochMs(sample.now + HOUR_MS),
    }),
    ['root'],
  ],
  [
    'add-agent',
    () => ({
      kind: 'add-agent',
      agent: newId('agent', rng),
      site: newId('site', rng),
      tier: 'private',
      ...party(),
      allowProcess: false,
    }),
    ['root', 'enrolment'],
  ],
  ['add-peer', () => ({ kind: 'add-peer', org: newId('org', rng), root: sample.key().publicKey }), ['root']],
  [
    'add-admitter',
    () => ({ kind: 'add-admitter', key: sample.key().publicKey, tier: 'secure-cloud' }),
    ['root', 'two officers'],
  ],
  [
    'add-evidence-issuer',
    () => ({ kind: 'add-evidence-issuer', key: sample.key().publicKey, standards: ['iso27001'] }),
    ['root', 'two officers'],
  ],
  ['remove-admitter', () => ({ kind: 'remove-admitter', key: admitter }), ['root', 'officer']],
  ['remove-evidence-issuer', () => ({ kind: 'remove-evidence-issuer', key: issuer }), ['root', 'officer']],
  ['remove an agent', () => ({ kind: 'remove', subject: agent.id, reason: 'lost' }), ['root', 'enrolment']],
  ['remove a device', () => ({ kind: 'remove', subject: plain.id, reason: 'lost' }), ['root', 'officer']],
  ['remove an officer', () => ({ kind: 'remove', subject: officers[2].id, reason: 'lost' }), ['root', 'two officers']],
  ['remove a custodian', () => ({ kind: 'remove', subject: custodian.id, reason: 'lost' }), ['root']],
  ['remove a peer', () => ({ kind: 'remove', subject: peer, reason: 'left' }), ['root']],
  ['rotate-root', () => ({ kind: 'rotate-root', root: newRoot.publicKey, recovery }), ['root+new', 'recovery+new']],
  [
    'rotate-root with other recovery keys',
    () => ({ kind: 'rotate-root', root: newRoot.publicKey, recovery: { ...recovery, threshold: 3 } }),
    ['recovery+new'],
  ],
  [
    'rotate-root that voids',
    () => ({ kind: 'rotate-root', root: newRoot.publicKey, recovery, keep: 3 }),
    ['recovery+new'],
  ],
];
/** A stronger list of signers that holds a sufficient one is sufficient too. */
const includesAll = (signers: readonly SigningKey[], enough: readonly SigningKey[]): boolean =>
  enough.every((key) => signers.includes(key));

describe('who may sign what', () => {
  for (const [name, change, allowed] of ROWS) {
    it(`${name}: ${allowed.join(', ')}`, () => {
      for (const [signer, keys] of Object.entries(SIGNERS)) {
        const expected = allowed.some((sufficient) => includesAll(keys, SIGNERS[sufficient] ?? assert.fail()));
        const attempt = (): unknown => extendKeyring(sample.keyring, sample.sign(change(), ...keys));
        if (expected) assert.doesNotThrow(attempt, `${signer} may`);
        else assert.throws(attempt, { name: 'KeyringError' }, `${signer} may not`);
      }
    });
  }

  it('says why not', () => {
    const codeOf = (signer: string, change: KeyringChange): string => {
      try {
        extendKeyring(sample.keyring, sample.sign(change, ...(SIGNERS[signer] ?? assert.fail())));
        return 'taken';
      } catch (error) {
        return (error as { code: string }).code;
      }
    };
    const added: KeyringChange = { kind: 'add-device', ...device() };
    assert.equal(codeOf('stranger', added), 'bad-signature');
    assert.equal(codeOf('removed officer', added), 'removed');
    assert.equal(codeOf('plain device', added), 'not-authorised');
    assert.equal(codeOf('enrolment', added), 'not-authorised');
    assert.equal(codeOf('agent', added), 'not-authorised');
    assert.equal(
      codeOf('lapsed enrolment', { kind: 'remove', subject: agent.id, reason: 'lost' }),
      'expired-delegation',
    );
    assert.equal(codeOf('limited enrolment', { kind: 'remove', subject: agent.id, reason: 'lost' }), 'not-authorised');
    const rotation: KeyringChange = { kind: 'rotate-root', root: newRoot.publicKey, recovery };
    assert.equal(codeOf('root', rotation), 'bad-signature', 'the new root has to show that it exists');
  });

  it('asks min(2, officers): a lone officer is a quorum, none is nobody', () => {
    const few = new SampleOrganisation('few');
    const lone = few.addDevice();
    const next = few.addDevice();
    const promote = (): void => {
      extendKeyring(few.keyring, few.sign({ kind: 'add-officer', device: next.id }, lone.sign));
    };
    assert.throws(promote, { code: 'not-authorised' });
    few.add({ kind: 'add-officer', device: lone.id });
    assert.equal(few.keyring.quorum, 1);
    assert.doesNotThrow(promote);
    few.add({ kind: 'add-officer', device: next.id }, lone.sign);
    assert.equal(few.keyring.quorum, 2);
  });
});
