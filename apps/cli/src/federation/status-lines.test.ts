import assert from 'node:assert/strict';
import { test } from 'node:test';
import { epochMs, newId, systemRng as rng } from '@ringfence/base';
import type { Digest } from '@ringfence/crypto/sign';
import type { FederationAnswer, PrivacyRow } from '@ringfence/protocol/payload';
import type { Contract } from '@ringfence/protocol/statements';
import { statusLines } from './status-lines.ts';

const [ours, theirs] = [newId('org', rng), newId('org', rng)];
const [mine, yours] = [newId('agent', rng), newId('agent', rng)];
const job = newId('job', rng);
const contract = 'ab'.repeat(32) as Digest;
const now = epochMs(1_800_000_000_000);

const TERMS = {
  parties: [
    { org: ours, name: 'Ours' },
    { org: theirs, name: 'Theirs' },
  ],
  clients: [
    { org: ours, agent: mine, dataset: { name: 'rows' } },
    { org: theirs, agent: yours, dataset: { name: 'patients' } },
  ],
  rounds: { count: 5 },
  privacy: { noise: {} },
} as unknown as Contract;

const ANSWER: FederationAnswer = {
  contract,
  name: 'study',
  paused: false,
  jobs: [{ job, role: 'client', agent: mine, dataset: 'rows', at: epochMs(now - 60_000), state: 'open' }],
  rounds: [
    { round: 3, job, attempt: 1, agent: mine, at: now },
    {
      round: 2,
      job,
      attempt: 1,
      agent: mine,
      at: now,
      report: { outcome: 'aborted', survivors: [], missing: [yours], why: 'deadline' },
    },
    {
      round: 1,
      job,
      attempt: 1,
      agent: mine,
      at: now,
      report: { outcome: 'summed', survivors: [mine, yours], missing: [], examples: 569, metrics: { loss: 0.25 } },
    },
  ],
  given: 3,
};
const ACCOUNT = {
  name: 'rows',
  budget: { delta: '0.00001' },
  spent: { left: 2.5009 },
  contracts: [{ contract, outsiders: 0.4991, member: 0.75, others: null, grade: 'enforced' }],
} as unknown as PrivacyRow;

test('status says rounds, who was missing, sums, and epsilon against each onlooker', () => {
  const states = new Map([[job as string, 'running']]);
  const lines = statusLines({ terms: TERMS, answer: ANSWER, privacy: [ACCOUNT], states }, now);
  const told = lines.join('\n');
  for (const part of [
    /Contract study \(abababababababab\)$/m,
    /Rounds {3}1 of 5 summed; 3 begun/,
    /\(client, rows\): running, ordered 1 m 0 s ago/,
    /Missing {2}in round 2: Theirs \(patients\)/,
    /epsilon 0\.500 against outsiders, 0\.750 against one curious member, unbounded against all others together at delta 0\.00001 \(enforced\); 2\.500 of its budget left/,
    /3 +Ours \(rows\) +begun/,
    /2 +Ours \(rows\) +aborted \(deadline\) +0 of 2/,
    /1 +Ours \(rows\) +summed +2 of 2 +569 +0\.2500/,
  ])
    assert.match(told, part);
  const bare = { ...TERMS, privacy: { noise: null } } as unknown as Contract;
  const paused = { ...ANSWER, paused: true, rounds: [] };
  const calm = statusLines({ terms: bare, answer: paused, privacy: [ACCOUNT], states }, now).join('\n');
  assert.doesNotMatch(calm, /Stopped/);
  const stopped = { ...paused, stopped: true as const };
  assert.match(statusLines({ terms: bare, answer: stopped, privacy: [], states }, now).join('\n'), /federation resume/);
  assert.match(calm, /paused here: no round begins[\s\S]*no noise: each round is a release that is not counted/);
});

test('status says how the model did on rows held out, which was best, and that this ended it', () => {
  const stop = { metric: 'accuracy', patience: 2, minDelta: '0.01' };
  const terms = { ...TERMS, privacy: { noise: null }, evaluation: { every: 1, stop } } as unknown as Contract;
  const row = (round: number, accuracy: number | undefined, by = mine) => {
    const metrics = accuracy === undefined ? { loss: 1 } : { loss: 1, accuracy };
    const task = accuracy === undefined ? {} : { task: 'evaluate' as const };
    const report = { outcome: 'summed' as const, ...task, survivors: [mine, yours], missing: [], examples: 9, metrics };
    return { round, job, attempt: 1, agent: by, at: now, report };
  };
  const told = (rounds: readonly ReturnType<typeof row>[], of = terms): string =>
    statusLines(
      { terms: of, answer: { ...ANSWER, rounds: rounds.toReversed() }, privacy: [], states: new Map() },
      now,
    ).join('\n');
  assert.match(told([row(1, undefined)]), /1 of 5 summed[\s\S]*Tested {3}not yet: after each 1 sums/);
  // Two agents of this organisation tell of the same evaluation: it is one.
  const two = [row(1, undefined), row(2, 0.75), row(2, 0.75, yours), row(3, undefined), row(4, 0.755)];
  assert.match(told(two), /2 of 5 summed[\s\S]*Tested {3}2 times, newest in round 4: loss 1\.0000, accuracy 0\.7550/);
  assert.match(told(two), /Best {5}round 2, accuracy 0\.7500; 1 of 2 since were no better/);
  assert.match(told(two), /4 +Ours \(rows\) +tested +2 of 2/);
  assert.match(
    told([...two, row(6, 0.5)]),
    /Best {5}round 2, accuracy 0\.7500; ended early: 2 evaluations were no better/,
  );
  const plain = { ...terms, evaluation: { every: 1 } } as unknown as Contract;
  assert.doesNotMatch(told(two, plain), /Best/);
  assert.doesNotMatch(told(two, TERMS), /Tested|Best/);
});
