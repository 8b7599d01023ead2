import assert from 'node:assert/strict';
import { test } from 'node:test';
import { epochMs, newId } from '@ringfence/base';
import { SigningKey, type Digest } from '@ringfence/crypto/sign';
import { signStatement } from '@ringfence/keyring';
import { SampleOrganisation } from '@ringfence/keyring/samples';
import type { BurstDecision, BurstDecisionStatement } from '@ringfence/protocol/statements';
import { decisionLines, deletionLines } from './decision-lines.ts';
import { verifyDecisions, verifyDeletions } from './verify-decisions.ts';

const sample = new SampleOrganisation('decisions');
const { rng, org, now } = sample;
const agent = sample.addAgent();
const [root, leases, other] = [1, 2, 3].map(() => SigningKey.generate(rng)) as [SigningKey, SigningKey, SigningKey];
const controlPlane = newId('controlPlane', rng);
const pin = { id: controlPlane, root: root.publicKey };
const { publicKey } = leases;
const named = { controlPlane, root: root.publicKey, frames: publicKey, leases: publicKey } as const;
const keys = signStatement('control-plane-keys', { v: 1, ...named, at: now, notAfter: epochMs(now + 1_000) }, [root]);
const judge = { pin, keys, keyring: sample.keyring, now };

const BODY: BurstDecisionStatement = {
  v: 1,
  org,
  controlPlane,
  seq: 1,
  decision: { type: 'open' },
  poolDigest: 'ab'.repeat(32) as Digest,
  pressure: 'high',
  looks: 3,
  queue: { waiting: 4, mayBurst: 3, longestWaitMs: 60_000 },
  budget: { period: 1, spent: 0, reserved: 2_000_000, microUnits: 10_000_000, currency: 'EUR' },
  away: 0,
  at: now,
};

function judged(change: Partial<BurstDecisionStatement>, key = leases) {
  const decisions = [signStatement('burst-decision', { ...BODY, ...change }, [key])];
  return verifyDecisions({ decisions, deletions: [] }, judge)[0] ?? assert.fail();
}

test('a decision counts when the pinned control plane signed it for this organisation', () => {
  assert.equal(judged({}).verified, true);
  assert.equal(judged({}, other).verified, false);
  assert.equal(judged({ org: new SampleOrganisation('x').org }).verified, false);
  assert.equal(judged({ controlPlane: newId('controlPlane', rng) }).verified, false);
  const late = { ...judge, now: epochMs(now + 1_000) };
  const decisions = [signStatement('burst-decision', BODY, [leases])];
  assert.equal(verifyDecisions({ decisions, deletions: [] }, late)[0]?.verified, false, 'its keys have run out');
});

const request = newId('deletion', rng);
const attempts = [{ job: newId('job', rng), attempt: 1 }];
const order: BurstDecision = { type: 'ask-deletion', offer: newId('offer', rng), agent: agent.id, request, attempts };

test('a deletion counts when the agent that was asked signed it about all that it was asked for', () => {
  const asked = [judged({ decision: order })];
  const deletion = (change: object, key = agent.sign, orders = asked) => {
    const body = { v: 1, org, agent: agent.id, request, attempts, at: now, ...change } as const;
    const deletions = [signStatement('deletion', body, [key])];
    return verifyDeletions({ decisions: [], deletions }, orders, judge)[0] ?? assert.fail();
  };
  assert.equal(deletion({}).verified, true);
  assert.equal(deletion({}, other).verified, false);
  assert.equal(deletion({ attempts: [{ ...attempts[0], attempt: 2 }] }).verified, false);
  assert.equal(deletion({ request: newId('deletion', rng) }).verified, false, 'nobody asked for it');
  assert.match(deletionLines(deletion({}), () => 'rented').join('\n'), /rented deleted .* 1 attempts .*signed by it/);
  assert.match(deletionLines(deletion({}, other), () => 'rented').join('\n'), /NOT its word/);
});

test('people read what was decided and by what', () => {
  const text = decisionLines(judged({}), String).join('\n');
  assert.match(text, /^1 {2}\S+ {2}the gate opens\n/);
  assert.match(
    text,
    /4 waited, 3 of them could leave, the longest 1 m 0 s; 3 looks: high; 0 away; 0 EUR spent, 2 EUR reserved of 10 EUR/,
  );
  assert.match(decisionLines(judged({}, other), String)[0] ?? '', /NOT SIGNED/);
  const { offer } = order;
  const release = judged({ decision: { type: 'release', offer, agent: agent.id, deletion: 'missing', deletions: [] } });
  assert.match(decisionLines(release, () => 'rented')[0] ?? '', /rented is given back, deletion missing/);
});
