import assert from 'node:assert/strict';
import { test } from 'node:test';
import { epochMs, newId, seededRng } from '@ringfence/base';
import type { PoolView } from '@ringfence/protocol/api';
import { parsePoolFlags } from '@ringfence/protocol/pool-file';
import { notAwayLines } from './not-away.ts';
import { costLines, poolLines } from './pool-lines.ts';
import { poolTerms } from './pool-terms.ts';

const rng = seededRng('pool lines');
const wishes = (...flags: [string, string][]) => parsePoolFlags(new Map(flags));
const HOUR = 3_600_000;

test('a first pool needs a budget alone; later wishes change what they name', () => {
  assert.throws(() => poolTerms(wishes(['high', '5m']), undefined), { code: 'usage' });
  const first = poolTerms(wishes(['budget', '100 EUR']), undefined);
  assert.deepEqual(first.terms.budget, { microUnits: 100_000_000, currency: 'EUR', periodMs: 720 * HOUR });
  assert.deepEqual([first.terms.highWaitMs, first.terms.lowWaitMs, first.homeHour], [300_000, 60_000, 0]);
  const next = poolTerms(wishes(['high', '10m'], ['home-cost', '0.5 EUR']), first);
  assert.deepEqual(next, { terms: { ...first.terms, highWaitMs: 600_000 }, homeHour: 500_000 });
  const dearer = poolTerms(wishes(['budget', '200 EUR'], ['period', 'week']), next);
  assert.deepEqual(dearer.terms.budget, { microUnits: 200_000_000, currency: 'EUR', periodMs: 168 * HOUR });
  assert.deepEqual([dearer.terms.highWaitMs, dearer.homeHour], [600_000, 500_000]);
});

test('what cannot be is refused before anything is signed', () => {
  const budget: [string, string] = ['budget', '100 EUR'];
  assert.throws(() => poolTerms(wishes(budget, ['high', '5m'], ['low', '3m']), undefined), {
    code: 'usage',
    message: '--low: at most half of the high threshold',
  });
  assert.throws(() => poolTerms(wishes(budget, ['home-cost', '1 USD']), undefined), { code: 'usage' });
  const first = poolTerms(wishes(budget, ['home-cost', '0.5 EUR']), undefined);
  assert.throws(() => poolTerms(wishes(['budget', '100 USD']), first), { code: 'usage', message: /another currency/ });
  assert.equal(poolTerms(wishes(['budget', '9 USD'], ['home-cost', '1 USD']), first).homeHour, 1_000_000);
  assert.equal(poolTerms(wishes(['budget', '200 EUR']), first).homeHour, 500_000);
});

const { terms } = poolTerms(wishes(['budget', '100 EUR'], ['period', 'day']), undefined);
const [offer, agent] = [newId('offer', rng), newId('agent', rng)];
const at = epochMs(1_800_000_000_000);
const VIEW: PoolView = {
  seq: 1,
  terms,
  homeHour: 500_000,
  statement: { payloadType: 'x', payload: '', signatures: [] } as unknown as PoolView['statement'],
  gate: { state: 'open', changedAt: at, pressure: 'low', looks: 2 },
  queue: { waiting: 4, mayBurst: 3, longestWaitMs: null },
  budget: { ...terms.budget, period: 1, spent: 12_500_000, reserved: 8_000_000, left: 79_500_000, spentEver: 1 },
  away: [{ job: newId('job', rng), attempt: 2, offer, since: at, coveredUntil: at, reserved: 8_000_000, moving: true }],
  offers: [{ offer, agent, phase: 'emptied', jobs: 1, emptiedAt: at, deletionSigned: true, keysShredded: false }],
  costs: {
    from: at,
    until: at,
    runs: 3,
    homeMachines: 2,
    homeHour: 500_000,
    spent: 12_500_000,
    allMarketplace: 30_000_000,
    allPrivate: 10_000_000,
    hybrid: 20_000_000,
    savedAgainstAllMarketplace: 10_000_000,
    savedAgainstAllPrivate: -10_000_000,
    couldNotLeave: 1,
    mostAwayAtOnce: 1,
  },
};

test('people read the gate with what it waits for, the money, and each machine’s step', () => {
  const text = poolLines(VIEW, () => 'rented').join('\n');
  for (const part of [
    'open since 2027-01-15T08:00:00.000Z; the last 2 looks: low; closes after 3 looks',
    '4 wait, 3 of them may leave, longest wait for ever',
    '100 EUR in 24 h 0 m: 12.5 EUR spent, 8 EUR reserved, 79.5 EUR left',
    '1 of 10 attempts',
    'on its way home',
    'rented: returning: empty, deletion signed, keys to be shredded',
  ])
    assert.ok(text.includes(part), `${part}\n${text}`);
  const closed: PoolView = { ...VIEW, gate: { ...VIEW.gate, state: 'closed', changedAt: null } };
  assert.match(poolLines(closed, String)[0] ?? '', /^Gate {5}closed; the last .*opens after 3 looks in a row at high/);
  const costs = costLines(VIEW).join('\n');
  assert.match(costs, /30 EUR, so 10 EUR saved/);
  assert.match(costs, /10 EUR, so 10 EUR more were spent/);
});

test('a plan says why a job stays at home for now, and nothing where there is no pool', () => {
  assert.deepEqual(notAwayLines(undefined), []);
  assert.deepEqual(notAwayLines([]), []);
  const lines = notAwayLines(['gate-closed', 'budget']);
  assert.match(lines[0] ?? '', /^Pool {5}not away from home now: the gate is closed/);
  assert.match(lines[1] ?? '', /budget of the period/);
});
