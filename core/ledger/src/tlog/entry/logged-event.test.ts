import assert from 'node:assert/strict';
import { test } from 'node:test';
import { canonicalBytes, epochMs, newId, seededRng } from '@ringfence/base';
import { eventOfLedger, type LogKeeper } from './logged-event.ts';

const rng = seededRng('logged event');
const org = newId('org', rng);
const keeper: LogKeeper = { kind: 'control-plane', id: newId('controlPlane', rng) };
const [device, member, account] = [newId('device', rng), newId('member', rng), newId('serviceAccount', rng)];

const logged = (event: object): ReturnType<typeof eventOfLedger> =>
  eventOfLedger({ at: epochMs(7), body: canonicalBytes({ org, event }), hash: 'ab'.repeat(32), audit: null }, keeper);

test('an entry says who asked: the asker that is named, else the device, else the keeper', () => {
  const removed = { type: 'member-removed', member };
  assert.deepEqual(logged({ ...removed, asker: { device } }).actor, { kind: 'device', id: device });
  assert.deepEqual(logged({ ...removed, asker: { account } }).actor, { kind: 'service-account', id: account });
  const other = newId('member', rng);
  const byMember = logged({ ...removed, asker: { member: other } });
  assert.deepEqual(byMember.actor, { kind: 'member', id: other });
  assert.deepEqual(new Set(byMember.objects), new Set([member, other]), 'found by either');
  // Older events name the device beside what happened, or nobody.
  assert.deepEqual(logged({ type: 'job-submitted', device }).actor, { kind: 'device', id: device });
  assert.deepEqual(logged({ type: 'service-account-removed', account, device }).actor, { kind: 'device', id: device });
  for (const event of [removed, { type: 'service-account-removed', account }])
    assert.deepEqual(logged(event).actor, keeper, 'whom it happened to has not asked for it');
});

test('an entry is of a refusal where its type, state or decision says so', () => {
  for (const [event, outcome] of [
    [{ type: 'grant-refused' }, 'refused'],
    [{ type: 'attempt-reported', state: 'refused' }, 'refused'],
    [{ type: 'opening-decided', decision: 'kept-closed' }, 'refused'],
    [{ type: 'opening-decided', decision: 'opened' }, 'done'],
    [{ type: 'release-decided', decision: 'refused' }, 'refused'],
    [{ type: 'release-decided', decision: 'released' }, 'done'],
    [{ type: 'mount-decided', decision: 'refused' }, 'refused'],
    [{ type: 'mount-decided', decision: 'allowed' }, 'done'],
  ] as const)
    assert.equal(logged(event).outcome, outcome, JSON.stringify(event));
});
