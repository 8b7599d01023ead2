import assert from 'node:assert/strict';
import { test } from 'node:test';
import { JOB_TYPES, RETRY_REASONS } from '@ringfence/protocol';
import { OUTCOMES } from '@ringfence/protocol/statements';
import fc from 'fast-check';
import { JOB_TRANSITIONS, stepJob, type JobEvent, type JobFacts } from './job-transitions.ts';

/** What the rim adds up from the commands, as the database holds it. */
interface Held {
  readonly facts: JobFacts;
  /** Attempts that may run: a set, so that a second one would show. */
  readonly live: ReadonlySet<number>;
  readonly told: number;
  readonly backsOff: boolean;
}

const EVENTS: readonly JobEvent[] = [
  { kind: 'validated' },
  { kind: 'placed' },
  { kind: 'accepted' },
  { kind: 'refused', noRoom: false },
  { kind: 'refused', noRoom: true },
  { kind: 'starting' },
  { kind: 'running' },
  ...OUTCOMES.map((outcome) => ({ kind: 'stopped', outcome }) as const),
  { kind: 'lease-expired' },
  { kind: 'requeued' },
  { kind: 'fenced' },
  { kind: 'wanted', wanted: true, graceMs: 0 },
  { kind: 'wanted', wanted: false, graceMs: 0 },
  { kind: 'wanted', wanted: true, graceMs: 0 },
  { kind: 'wanted', wanted: false, graceMs: 0 },
  { kind: 'placed' },
];
/** These end a job for good, so that a history without them goes further. */
const ENDING: readonly JobEvent[] = [
  { kind: 'committed', attempt: 1 },
  { kind: 'stop-requested', graceMs: 0 },
  { kind: 'job-expired' },
];
const HELD = ['leased', 'starting', 'running'];

function fresh(type: JobFacts['type'], maxAttempts: number, wanted = false): Held {
  const facts: JobFacts = {
    state: 'submitted',
    type,
    attempts: 0,
    maxAttempts,
    retryOn: RETRY_REASONS,
    stopping: false,
    wanted,
    attemptLives: false,
    stopSent: false,
  };
  return { facts, live: new Set(), told: 0, backsOff: false };
}

/** What change-job and place-job write for one event. */
function apply(held: Held, event: JobEvent): Held {
  const { facts } = held;
  const step = stepJob(facts, event);
  if (step === undefined) return held;
  const placed = event.kind === 'placed';
  const attempts = facts.attempts + (placed ? 1 : 0);
  const ended = step.commands.includes('end-attempt');
  const live = placed ? new Set([...held.live, attempts]) : ended ? new Set<number>() : held.live;
  const has = (name: string): boolean => step.commands.some((command) => command === name);
  const wanted = has('note-wanted') || (facts.wanted && !has('note-unwanted'));
  const told = held.told + step.commands.filter((command) => command.startsWith('tell-')).length;
  assert.equal(has('back-off'), step.cause !== undefined, 'a back-off has a cause');
  if (step.state === 'queued' && facts.state !== 'queued')
    assert.ok(has('place') !== has('back-off'), 'somebody looks at it');
  return {
    facts: {
      ...facts,
      state: step.state,
      attempts,
      wanted,
      stopping: facts.stopping || event.kind === 'stop-requested',
      attemptLives: live.size > 0,
      stopSent:
        live.size > 0 && !placed && (facts.stopSent || step.commands.some((each) => each.startsWith('send-stop'))),
    },
    live,
    told,
    backsOff: step.state === 'queued' && (has('back-off') || (held.backsOff && facts.state === 'queued')),
  };
}

function check({ facts, live, told }: Held): void {
  const { state, type, wanted, stopping, attempts, maxAttempts } = facts;
  const over = JOB_TRANSITIONS[state].length === 0;
  assert.ok(live.size <= 1, `${live.size} attempts live`);
  assert.ok(attempts <= maxAttempts, 'attempts');
  if (!HELD.includes(state)) assert.equal(live.size, 0, `${state} holds an attempt`);
  if (state === 'parked') assert.ok(type === 'serve' && !wanted, 'parked');
  if (type === 'serve' && !over && !stopping && state !== 'submitted') {
    if (wanted) assert.ok(state === 'queued' || state === 'lost' || HELD.includes(state), `wanted and ${state}`);
    else assert.notEqual(state, 'queued', 'queued though nobody wants it');
  }
  assert.equal(told, state === 'failed' || state === 'cancelled' ? 1 : 0, 'told');
}

test('in any history: one live attempt at most, parked holds nothing, wanted is queued or held, an end is final and told once', () => {
  const events = fc.array(
    fc.oneof(
      { weight: 60, arbitrary: fc.constantFrom(...EVENTS) },
      { weight: 1, arbitrary: fc.constantFrom(...ENDING) },
    ),
    {
      maxLength: 60,
      size: 'max',
    },
  );
  const reached = new Set<string>();
  fc.assert(
    fc.property(
      fc.constantFrom(...JOB_TYPES, 'serve', 'serve', 'serve'),
      fc.integer({ min: 1, max: 12 }),
      events,
      (type, maxAttempts, history) => {
        let held = apply(fresh(type, maxAttempts), { kind: 'validated' });
        for (const event of history) {
          const before = held.facts.state;
          held = apply(held, event);
          check(held);
          if (JOB_TRANSITIONS[before].length === 0) assert.equal(held.facts.state, before, 'an end is final');
          else if (before !== held.facts.state) reached.add(`${before} ${held.facts.state}`);
        }
      },
    ),
    { numRuns: 20_000, seed: 20_260_117 },
  );
  const table = Object.entries(JOB_TRANSITIONS).flatMap(([from, tos]) => tos.map((to) => `${from} ${to}`));
  const never = table.filter((pair) => !pair.startsWith('submitted ') && !reached.has(pair));
  assert.deepEqual(never, [], 'a transition that nothing leads to');
});

test('a wish before the job and after it end alike, and so does every history whose last wish is the same', () => {
  const wishes = fc.array(fc.boolean(), { minLength: 1, maxLength: 8 });
  const quiet = fc.array(fc.constantFrom(...EVENTS), { maxLength: 30, size: 'max' });
  const settle = (held: Held): Held => {
    // Whatever runs is told to stop, and does; then the placer and the agent have nothing left to say.
    const stopped = held.facts.stopSent ? apply(held, { kind: 'stopped', outcome: 'stopped' }) : held;
    return stopped.facts.state === 'queued' ? apply(stopped, { kind: 'placed' }) : stopped;
  };
  fc.assert(
    fc.property(wishes, quiet, (history, others) => {
      const last = history.at(-1) === true;
      const early = settle(apply(fresh('serve', 1_000_000, last), { kind: 'validated' }));
      const late = settle(
        history.reduce(
          (held, wanted) => apply(held, { kind: 'wanted', wanted, graceMs: 0 }),
          apply(fresh('serve', 1_000_000), { kind: 'validated' }),
        ),
      );
      assert.equal(late.facts.state, early.facts.state);
      let any = apply(fresh('serve', 1_000_000), { kind: 'validated' });
      for (const event of others) any = apply(any, event);
      any = apply(any, { kind: 'requeued' });
      any = settle(apply(any, { kind: 'wanted', wanted: last, graceMs: 0 }));
      if (last) assert.ok(HELD.includes(any.facts.state), any.facts.state);
      else assert.equal(any.facts.state, 'parked');
    }),
    { numRuns: 5_000 },
  );
});
