import assert from 'node:assert/strict';
import { it } from 'node:test';
import { epochMs, newId } from '@ringfence/base';
import type { FenceStatement } from '@ringfence/protocol/statements';
import type { SigningKey } from '@ringfence/crypto/sign';
import { HOUR_MS, SampleOrganisation } from '../sample-organisation.fixture.ts';
import { signStatement } from '../statement.ts';
import { checkFence } from './fence.ts';

it('takes a fence by an officer’s device alone, about this job: every field', () => {
  const sample = new SampleOrganisation('fence');
  const [officer, member] = [sample.addDevice('officer'), sample.addDevice()];
  const agent = sample.addAgent();
  const job = newId('job', sample.rng);
  const body: FenceStatement = { v: 1, org: sample.org, job, attempt: 3, device: officer.id, at: sample.now };
  const judge = (change: Partial<FenceStatement> = {}, key: SigningKey = officer.sign, asks = officer.id) => {
    const fence = signStatement('fence', { ...body, ...change }, [key]);
    const decision = checkFence(fence, { job, device: asks }, { keyring: sample.keyring, now: sample.now });
    return decision.allow ? [] : decision.reasons;
  };
  assert.deepEqual(judge(), []);
  assert.deepEqual(judge({ attempt: 4 }), [], 'which attempt it ends is what it says');
  assert.deepEqual(judge({ org: new SampleOrganisation('other').org }), ['org']);
  assert.deepEqual(judge({ job: newId('job', sample.rng) }), ['job']);
  assert.deepEqual(judge({ at: epochMs(sample.now + HOUR_MS) }), ['not-yet']);
  assert.deepEqual(judge({ device: member.id }), ['signature']);
  assert.deepEqual(judge({ device: newId('device', sample.rng) }), ['signature']);
  for (const { sign } of [member, agent, { sign: sample.root }]) assert.deepEqual(judge({}, sign), ['signature']);
  assert.deepEqual(judge({ device: member.id }, member.sign, member.id), ['not-officer']);
  assert.deepEqual(judge({}, officer.sign, member.id), ['device'], 'handed in by another device');
  sample.add({ kind: 'remove', subject: officer.id, reason: 'left' });
  assert.deepEqual(judge(), ['signature'], 'an officer who left');
});
