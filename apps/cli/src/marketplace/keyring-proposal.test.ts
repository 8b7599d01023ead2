import assert from 'node:assert/strict';
import { test } from 'node:test';
import { epochMs } from '@ringfence/base';
import { SampleOrganisation } from '@ringfence/keyring/samples';
import { changeText, cosign, isEnough, propose } from './keyring-proposal.ts';

const HOUR_MS = 3_600_000;
const sample = new SampleOrganisation('proposal');
const alone = sample.addDevice('officer');
const admitter = (name = 'admitter') => ({
  kind: 'add-admitter' as const,
  key: new SampleOrganisation(name).key().publicKey,
  tier: 'secure-cloud' as const,
});
const change = admitter();

test('one officer is enough where there is one, for as long as there is one', () => {
  assert.ok(isEnough(sample.keyring, propose(sample.keyring, change, alone.sign, sample.now), sample.now));
  const plain = sample.addDevice();
  assert.ok(!isEnough(sample.keyring, propose(sample.keyring, change, plain.sign, sample.now), sample.now));
});

test('of several officers two sign, or the root does', () => {
  const second = sample.addDevice('officer');
  const third = sample.addDevice('officer');
  const { keyring, now } = sample;
  const proposal = propose(keyring, change, alone.sign, now);
  assert.ok(!isEnough(keyring, proposal, now));
  assert.ok(isEnough(keyring, propose(keyring, change, sample.root, now), now));
  assert.throws(() => cosign(keyring, proposal, alone.sign), { code: 'usage', message: /already/ });
  const plain = cosign(keyring, proposal, sample.addDevice().sign);
  assert.ok(!isEnough(keyring, plain, now), 'a device that is no officer’s adds nothing');
  for (const other of [second, third]) {
    const signed = cosign(keyring, proposal, other.sign);
    assert.equal(signed.payload, proposal.payload);
    assert.ok(isEnough(keyring, signed, now));
  }
  const removal = { kind: 'remove-admitter', key: change.key } as const;
  sample.add(change);
  assert.ok(isEnough(sample.keyring, propose(sample.keyring, removal, third.sign, sample.now), sample.now));
});

test('a proposal is about the keyring as it was: after another change it is void', () => {
  const proposal = propose(sample.keyring, admitter('another'), alone.sign, sample.now);
  const officer = sample.addDevice('officer');
  assert.throws(() => cosign(sample.keyring, proposal, officer.sign), { code: 'usage', message: /has changed/ });
  assert.throws(() => isEnough(sample.keyring, proposal, sample.now), { code: 'usage' });
});

test('what no signature makes good is said at once', () => {
  const again = propose(sample.keyring, change, sample.root, sample.now);
  assert.throws(() => isEnough(sample.keyring, again, sample.now), {
    code: 'usage',
    message: /not fresh.*\(duplicate\)$/,
  });
  const strange = new SampleOrganisation('strange');
  const theirs = propose(strange.keyring, change, strange.root, sample.now);
  assert.throws(() => cosign(sample.keyring, theirs, alone.sign), { code: 'usage', message: /another organisation/ });
  const ahead = propose(sample.keyring, admitter('ahead'), sample.root, epochMs(sample.now + HOUR_MS));
  assert.throws(() => isEnough(sample.keyring, ahead, sample.now), { code: 'usage', message: /ahead/ });
});

test('whoever signs reads the whole change', () => {
  const proposal = propose(sample.keyring, admitter('read'), alone.sign, sample.now);
  assert.deepEqual(JSON.parse(changeText(proposal)), admitter('read'));
});
