import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { newId, type CustodianId } from '@ringfence/base';
import type { SigningKey } from '@ringfence/crypto/sign';
import { DELEGATIONS } from '@ringfence/protocol/statements';
import { HOUR_MS, SampleOrganisation, START } from '../sample-organisation.fixture.ts';
import { foldKeyring } from './fold.ts';

const keysOf = (keys: readonly SigningKey[]) => keys.map(({ publicKey }) => publicKey);

describe('rotation by the old root', () => {
  it('moves the root and keeps everything else', () => {
    const sample = new SampleOrganisation('rotation');
    const device = sample.addDevice('officer');
    const custodian = sample.addCustodian();
    const [old, next] = [sample.root, sample.key()];
    sample.add({ kind: 'rotate-root', root: next.publicKey, recovery: sample.keyring.recovery as never }, old, next);
    assert.equal(sample.keyring.root, next.publicKey);
    assert.ok(sample.keyring.isOfficer(device.id));
    assert.equal(sample.keyring.delegatedKey('grant', sample.now), custodian.enrolment.publicKey);
    assert.throws(() => sample.addDevice(), { code: 'not-authorised' }, 'the old root says nothing more');
    sample.root = next;
    sample.addDevice();
  });

  it('keeps pins good: the chain is accepted by who pinned any root that it had, and by nobody else', () => {
    const sample = new SampleOrganisation('pins');
    const [first, second] = [sample.root, sample.key()];
    const recovery = { threshold: 2, keys: keysOf(sample.recovery) };
    sample.add({ kind: 'rotate-root', root: second.publicKey, recovery }, first, second);
    for (const pin of [first, second]) assert.ok(foldKeyring(sample.statements, pin.publicKey));
    assert.throws(() => foldKeyring(sample.statements, sample.key().publicKey), { code: 'wrong-root' });
  });
});

describe('rotation by recovery keys', () => {
  /** The root is stolen after statement `keep`: the thief makes an officer, a custodian and a root of its own. */
  function stolen() {
    const sample = new SampleOrganisation('stolen');
    const officer = sample.addDevice('officer');
    const custodian = sample.addCustodian();
    const keep = sample.keyring.head.seq;
    const thief = { device: sample.addDevice('officer'), custodian: sample.addCustodian(), root: sample.key() };
    sample.add({ kind: 'remove', subject: officer.id, reason: 'compromised' });
    const recovery = { threshold: 2, keys: keysOf(sample.recovery) };
    sample.add({ kind: 'rotate-root', root: thief.root.publicKey, recovery }, sample.root, thief.root);
    sample.root = thief.root;
    return { sample, officer, custodian, keep, thief, recovery };
  }

  it('voids what came after the last good statement, and nothing before', () => {
    const { sample, officer, custodian, keep, thief, recovery } = stolen();
    const { sample: before } = stolen();
    assert.equal(before.keyring.isOfficer(officer.id), false);
    const fresh = sample.key();
    const [r1, r2] = sample.recovery as [SigningKey, SigningKey, SigningKey];
    sample.add({ kind: 'rotate-root', root: fresh.publicKey, recovery, keep }, r1, r2, fresh);
    const { keyring } = sample;
    assert.equal(keyring.root, fresh.publicKey);
    assert.ok(keyring.isOfficer(officer.id), 'the removal by the thief never counted');
    assert.equal(keyring.device(thief.device.id), undefined);
    assert.equal(keyring.custodianOf(thief.custodian.id), undefined);
    assert.deepEqual(keyring.delegatedKeys('grant', sample.now), [custodian.enrolment.publicKey]);
    assert.deepEqual(foldKeyring(sample.statements).head, keyring.head);
    assert.throws(() => foldKeyring(sample.statements, thief.root.publicKey), { code: 'wrong-root' });
    assert.throws(() => sample.addDevice(), { code: 'not-authorised' });
  });

  it('burns what the voided statements named', () => {
    const { sample, keep, thief, recovery } = stolen();
    const fresh = sample.key();
    const [r1, , r3] = sample.recovery as [SigningKey, SigningKey, SigningKey];
    sample.add({ kind: 'rotate-root', root: fresh.publicKey, recovery, keep }, r1, r3, fresh);
    const add = (device: typeof thief.device.id, sign: SigningKey) => () =>
      sample.add({ kind: 'add-device', device, sign: sign.publicKey, tls: sample.tls() }, fresh);
    assert.throws(add(thief.device.id, sample.key()), { code: 'duplicate' });
    assert.throws(add(newId('device', sample.rng), thief.device.sign), { code: 'duplicate' });
    assert.throws(add(newId('device', sample.rng), thief.root), { code: 'duplicate' });
  });

  it('cannot be taken away: no root changes the recovery keys', () => {
    const { sample, keep, thief } = stolen();
    const own = { threshold: 1, keys: [sample.key().publicKey] };
    const next = sample.key();
    const take = (): void => sample.add({ kind: 'rotate-root', root: next.publicKey, recovery: own }, thief.root, next);
    assert.throws(take, { code: 'not-authorised' });
    const fresh = sample.key();
    const [r1, r2] = sample.recovery as [SigningKey, SigningKey, SigningKey];
    const better = { threshold: 1, keys: [sample.key().publicKey] };
    sample.add({ kind: 'rotate-root', root: fresh.publicKey, recovery: better, keep }, r1, r2, fresh);
    assert.deepEqual(sample.keyring.recovery, better);
  });

  it('may happen again, also back to before an earlier rotation', () => {
    const { sample, officer, keep, recovery } = stolen();
    const [r1, r2] = sample.recovery as [SigningKey, SigningKey, SigningKey];
    const [second, third] = [sample.key(), sample.key()];
    sample.add({ kind: 'rotate-root', root: second.publicKey, recovery, keep }, r1, r2, second);
    const late = sample.keyring.head.seq;
    sample.root = second;
    const lost = sample.addDevice();
    sample.add({ kind: 'rotate-root', root: third.publicKey, recovery, keep: late }, r1, r2, third);
    assert.equal(sample.keyring.device(lost.id), undefined);
    assert.ok(sample.keyring.isOfficer(officer.id));
    const fourth = sample.key();
    sample.add({ kind: 'rotate-root', root: fourth.publicKey, recovery, keep: 0 }, r1, r2, fourth);
    assert.equal(sample.keyring.device(officer.id), undefined);
    assert.equal(sample.keyring.root, fourth.publicKey);
    assert.deepEqual(foldKeyring(sample.statements, fourth.publicKey).head, sample.keyring.head);
  });

  it('keeps no statement of the future', () => {
    const { sample, recovery } = stolen();
    const [r1, r2] = sample.recovery as [SigningKey, SigningKey, SigningKey];
    const fresh = sample.key();
    const keep = sample.keyring.head.seq + 1;
    assert.throws(() => sample.add({ kind: 'rotate-root', root: fresh.publicKey, recovery, keep }, r1, r2, fresh), {
      code: 'malformed',
    });
  });
});

describe('a delegation', () => {
  it('is replaced by the next of its custodian, and holds until its end', () => {
    const sample = new SampleOrganisation('delegation');
    const { id, enrolment } = sample.addCustodian(HOUR_MS);
    const at = (hours: number) => (START + hours * HOUR_MS) as typeof START;
    assert.deepEqual(sample.keyring.delegatedKeys('label', at(0.99)), [enrolment.publicKey]);
    assert.deepEqual(sample.keyring.delegatedKeys('label', at(1)), []);
    sample.now = at(0.5);
    sample.delegate(id, enrolment);
    assert.deepEqual(sample.keyring.delegatedKeys('label', at(2)), [enrolment.publicKey]);
    const next = sample.key();
    sample.now = at(3);
    sample.delegate(id, next);
    assert.deepEqual(sample.keyring.delegatedKeys('label', at(4)), [next.publicKey]);
    assert.deepEqual(sample.keyring.delegatedKeys('label', at(2)), [enrolment.publicKey], 'the past stays as it was');
    assert.throws(() => sample.addAgent(enrolment), { code: 'expired-delegation' });
    sample.addAgent(next);
  });

  it('ends with its custodian, and its past too unless the parting was peaceful', () => {
    for (const [reason, past] of [
      ['replaced', 1],
      ['left', 1],
      ['lost', 0],
      ['compromised', 0],
      ['cloned', 0],
    ] as const) {
      const sample = new SampleOrganisation(reason);
      const { id } = sample.addCustodian();
      sample.now = (START + HOUR_MS) as typeof START;
      sample.add({ kind: 'remove', subject: id, reason });
      assert.equal(sample.keyring.delegatedKeys('commit', START).length, past, reason);
      assert.equal(sample.keyring.delegatedKeys('commit', sample.now).length, 0, reason);
    }
  });

  it('is for what it names only', () => {
    const sample = new SampleOrganisation('named');
    const { id, enrolment } = sample.addCustodian();
    const notAfter = (sample.now + HOUR_MS) as typeof START;
    sample.add({ kind: 'delegate', custodian: id, key: enrolment.publicKey, may: ['head', 'label'], notAfter });
    const rights = DELEGATIONS.filter((may) => sample.keyring.delegatedKey(may, sample.now) !== undefined);
    assert.deepEqual(rights, ['head', 'label']);
  });

  it("is never another custodian's", () => {
    const sample = new SampleOrganisation('two');
    const [a, b] = [sample.addCustodian(), sample.addCustodian()];
    const keys = (of: CustodianId) => sample.keyring.delegatedKeys('grant', START, of);
    assert.deepEqual([keys(a.id), keys(b.id)], [[a.enrolment.publicKey], [b.enrolment.publicKey]]);
    assert.throws(() => sample.delegate(b.id, a.enrolment), { code: 'duplicate' });
    assert.throws(() => sample.delegate(newId('custodian', sample.rng), sample.key()), { code: 'unknown-subject' });
    assert.throws(() => sample.delegate(a.id, sample.key(), 0), { code: 'expired-delegation' });
    assert.equal(sample.keyring.custodian?.id, b.id);
  });
});
