import assert from 'node:assert/strict';
import { test } from 'node:test';
import { epochMs, newId, systemRng } from '@ringfence/base';
import type { JobView } from '@ringfence/protocol/api';
import { REFUSALS } from '@ringfence/protocol/messages';
import { GRANT_REFUSALS, type RefusedGrant } from '@ringfence/protocol/payload';
import { attemptTable, endReason, whyShort } from './attempt-end.ts';
import { GRANT_REASONS, REFUSAL_REASONS } from './refusal-text.ts';

const agent = newId('agent', systemRng);
type Attempt = JobView['attempts'][number];
const attempt = (over: Partial<Attempt>) =>
  ({ attempt: 3, agent, state: 'refused', outcome: null, ...over }) as Attempt;
const refused = (over: Partial<RefusedGrant> = {}): RefusedGrant => ({
  at: epochMs(1_800_000_000_000),
  agent,
  reason: 'placement',
  checks: [],
  ...over,
});

test('every code has a sentence and a next step', () => {
  const reasons = [
    ...REFUSALS.map((code) => REFUSAL_REASONS[code]),
    ...GRANT_REFUSALS.map((code) => GRANT_REASONS[code]),
  ];
  for (const { what, next } of reasons) assert.ok(what.length > 10 && next.length > 5);
});

test('a refused grant is told with the custodian’s reason, and the check that failed first', () => {
  const one = attempt({ refusal: 'grant-refused' });
  assert.match(endReason(one)?.next ?? '', /ringfence status/, 'the custodian was not asked');
  const other = refused({ agent: newId('agent', systemRng) });
  assert.equal(endReason(one, other)?.what, endReason(one)?.what, 'the reason of another server’s attempt');
  assert.match(endReason(one, refused())?.what ?? '', /attempt 3 .* granted nothing \(placement\): it may not run/);
  const papers = endReason(one, refused({ checks: ['agent-admission-ended', 'evidence-not-verified'] }));
  assert.match(papers?.what ?? '', /placement, agent-admission-ended, evidence-not-verified\): the papers .* ended/);
  assert.match(papers?.next ?? '', /ringfence keyring ls/);
  assert.equal(endReason(attempt({ refusal: 'locked' }), refused())?.what.includes('custodian'), false);
});

test('a stop that nobody asked for says its cause; the owner’s own says nothing', () => {
  const stopped = (stopCause: Attempt['stopCause']) => attempt({ state: 'stopped', outcome: 'interrupted', stopCause });
  assert.match(endReason(stopped('evidence'))?.what ?? '', /was told to stop \(evidence\)/);
  assert.match(endReason({ ...stopped('drain'), state: 'running' })?.what ?? '', /is told to stop \(drain\)/);
  assert.match(endReason(stopped('admission'))?.next ?? '', /^nothing: another/);
  assert.match(endReason(stopped('admission'), undefined, true)?.next ?? '', /^launch it again.*interruption/);
  for (const none of [stopped('requested'), stopped(undefined)]) {
    assert.equal(endReason(none), undefined);
    assert.equal(whyShort(none), '');
  }
});

test('attempts are listed by the names of their servers', () => {
  const rows = [attempt({ attempt: 1, refusal: 'disk-full' }), attempt({ attempt: 2, state: 'running' })];
  assert.deepEqual(attemptTable(rows, () => 'node-1').split('\n'), [
    'ATTEMPT  STATE    OUTCOME  WHY        SERVER',
    '1        refused           disk-full  node-1',
    '2        running                      node-1',
  ]);
});
