import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SampleOrganisation } from '@ringfence/keyring/samples';
import { refuseOfficerWithSignature } from './officer-signature.ts';

const sample = new SampleOrganisation('officer signature');
const [officer, other] = [sample.addDevice('officer').id, sample.addDevice().id];
for (const device of [officer, other]) sample.add({ kind: 'bind-role', device, role: 'officer' });

test('the role officer is not taken from a device that would sign as an officer without it', () => {
  assert.throws(() => refuseOfficerWithSignature(sample.keyring, { device: officer, role: 'officer' }), {
    code: 'usage',
    message: /an officer by `add-officer`/,
    next: /ringfence device remove/,
  });
  sample.add({ kind: 'unbind-role', device: officer, role: 'officer' });
  assert.ok(sample.keyring.isOfficer(officer), 'the keyring itself leaves the signature');
});

test('who only has the role loses it, and an officer loses other roles', () => {
  refuseOfficerWithSignature(sample.keyring, { device: other, role: 'officer' });
  refuseOfficerWithSignature(sample.keyring, { device: officer, role: 'auditor' });
});
