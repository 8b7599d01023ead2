import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newId, seededRng, type MonotonicMs } from '@ringfence/base';
import { isAvoided } from './is-barred.ts';
import { outlivedSince } from './outlived-leases.ts';
import { FIRST_AVOIDED_MS, MOST_AVOIDED_MS, stepConduct, type Conduct, type ConductEvent } from './step-avoidance.ts';

const rng = seededRng('conduct');
const CLEAN: Conduct = { strikes: 0, struckBy: null, avoidances: 0, avoided: false };
const job = newId('job', rng);
type Refused = Extract<ConductEvent, { kind: 'refused' }>;
const refused = (refusal: Refused['refusal'], of = job): Refused => ({ kind: 'refused', job: of, refusal });

/** How an offer stands after these, each of which came when it was not avoided, and for how long it was avoided each time. */
function drive(events: readonly ConductEvent[], from = CLEAN): { conduct: Conduct; avoided: number[] } {
  let conduct = from;
  const avoided: number[] = [];
  for (const event of events) {
    const step = stepConduct(conduct, event);
    if (step === undefined) continue;
    const { avoid, ...next } = step;
    if (avoid !== undefined) avoided.push(avoid.forMs);
    conduct = { ...next, avoided: false };
  }
  return { conduct, avoided };
}

test('three refusals of what it offers are too many, also of one job; each further one doubles the time, at most to an hour', () => {
  const { avoided } = drive(Array.from({ length: 14 }, () => refused('capacity')));
  assert.deepEqual(avoided.slice(0, 4), [30_000, 60_000, 120_000, 240_000]);
  assert.equal(avoided.at(-1), MOST_AVOIDED_MS);
  assert.equal(avoided.length, 12);
});

test('an attempt that begins clears all', () => {
  const { conduct, avoided } = drive([
    refused('isolation'),
    refused('isolation'),
    { kind: 'began' },
    refused('isolation'),
    refused('isolation'),
  ]);
  assert.deepEqual(avoided, []);
  assert.equal(conduct.strikes, 2);
  const after = drive([refused('capacity'), { kind: 'began' }], { ...CLEAN, strikes: 3, avoidances: 5 });
  assert.deepEqual(after, { conduct: CLEAN, avoided: [FIRST_AVOIDED_MS * 32] });
});

test('what may be the job’s fault counts once a job, and what a custodian said never', () => {
  assert.deepEqual(drive(Array.from({ length: 9 }, () => refused('bad-label'))).avoided, []);
  const each = Array.from({ length: 3 }, () => refused('bad-label', newId('job', rng)));
  assert.deepEqual(drive(each).avoided, [FIRST_AVOIDED_MS]);
  for (const refusal of ['grant-refused', 'custodian-unreachable', 'job-expired'] as const) {
    const theirs = Array.from({ length: 9 }, () => refused(refusal, newId('job', rng)));
    assert.deepEqual(drive(theirs), { conduct: CLEAN, avoided: [] });
  }
});

test('a stop that is ignored and a lease that is outlived count at once; what was leased before the avoidance does not', () => {
  for (const kind of ['ignored-stop', 'outlived-lease'] as const) {
    assert.deepEqual(drive([{ kind }, { kind }]).avoided, [30_000, 60_000]);
    assert.equal(stepConduct({ ...CLEAN, avoided: true }, { kind }), undefined);
  }
  assert.equal(stepConduct({ ...CLEAN, strikes: 3, avoided: true }, refused('capacity')), undefined);
  assert.equal(stepConduct({ ...CLEAN, strikes: 3, avoided: true }, { kind: 'began' }), undefined);
});

test('an avoidance whose end lies further ahead than any is over: the clock was ahead when it was written', () => {
  assert.ok(isAvoided(1_000 + MOST_AVOIDED_MS, 1_000));
  assert.ok(!isAvoided(1_001 + MOST_AVOIDED_MS, 1_000));
  assert.ok(!isAvoided(1_000, 1_000) && !isAvoided(null, 1_000));
});

test('an attempt is outlived when its agent names it for long without a lease', () => {
  const [one, two] = [
    { job, attempt: 1 },
    { job, attempt: 2 },
  ];
  const at = (now: number) => now as MonotonicMs;
  const first = outlivedSince(undefined, { named: [one, two], renewed: [two], now: at(0) });
  assert.deepEqual([...first.since.values()], [0]);
  const look = (named: (typeof one)[], renewed: (typeof one)[], now: number) =>
    outlivedSince(first.since, { named, renewed, now: at(now) });
  assert.equal(look([one], [], 89_999).outlived, false);
  assert.equal(look([one], [], 90_000).outlived, true);
  assert.deepEqual(look([one], [one], 90_000), { since: new Map(), outlived: false });
  assert.equal(look([two], [], 90_000).outlived, false, 'another one begins anew');
});
