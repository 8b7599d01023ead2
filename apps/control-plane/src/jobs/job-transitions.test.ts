import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RETRY_REASONS } from '@ringfence/protocol';
import { JOB_STATES } from '@ringfence/protocol/api';
import { OUTCOMES } from '@ringfence/protocol/statements';
import fc from 'fast-check';
import { JOB_TRANSITIONS, stepJob, type JobEvent, type JobFacts } from './job-transitions.ts';

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
  { kind: 'committed', attempt: 1 },
  { kind: 'wanted', wanted: true, graceMs: 0 },
  { kind: 'wanted', wanted: false, graceMs: 0 },
  { kind: 'stop-requested', graceMs: 0 },
  { kind: 'job-expired' },
];
const EITHER = [false, true] as const;
/** Every combination of what the table looks at. */
const FACTS: readonly JobFacts[] = JOB_STATES.flatMap((state) =>
  (['train', 'serve'] as const).flatMap((type) =>
    EITHER.flatMap((stopping) =>
      EITHER.flatMap((attemptLives) =>
        EITHER.flatMap((wanted) =>
          EITHER.flatMap((stopSent) =>
            [1, 2, 3].map((attempts) => ({
              state,
              type,
              attempts,
              maxAttempts: 3,
              retryOn: RETRY_REASONS,
              stopping,
              attemptLives,
              wanted,
              stopSent,
            })),
          ),
        ),
      ),
    ),
  ),
);
/** What a job is that serves nobody. */
const TRAIN = { type: 'train', wanted: false, stopSent: false } as const;
/** As most jobs that are tried again ask for it. */
const RETRY_ON = ['no-capacity', 'interruption'] as const;
const STARTING = ['submitted', 'queued', 'leased', 'starting', 'running'] as const;
const ENDS = ['succeeded', 'failed', 'cancelled'] as const;

test('of every state and event, the step is one that the table has, and ends never change', () => {
  for (const job of FACTS)
    for (const event of EVENTS) {
      const step = stepJob(job, event);
      if (step === undefined) continue;
      assert.ok(!ENDS.some((end) => end === job.state), `${job.state} is final`);
      if (step.state !== job.state)
        assert.ok(JOB_TRANSITIONS[job.state].includes(step.state), `${job.state} → ${step.state}`);
    }
});

test('the table of what each event does in each state', () => {
  const facts = { ...TRAIN, attempts: 1, maxAttempts: 3, retryOn: RETRY_ON, stopping: false, attemptLives: true };
  const rows = EVENTS.map((event) => {
    const name = event.kind === 'stopped' ? `stopped(${event.outcome})` : event.kind;
    const next = STARTING.map((state) => {
      const attemptLives = ['leased', 'starting', 'running'].includes(state);
      return stepJob({ ...facts, state, attemptLives }, event)?.state ?? '-';
    });
    return `${name}: ${next.join(' ')}`;
  });
  // Columns: submitted queued leased starting running.
  assert.deepEqual(rows, [
    'validated: queued - - - -',
    'placed: - leased - - -',
    'accepted: - - - - -',
    'refused: - - queued queued queued',
    'refused: - - queued queued queued',
    'starting: - - starting - -',
    'running: - - running running -',
    'stopped(succeeded): - - leased starting running',
    'stopped(failed): - failed failed failed failed',
    'stopped(stopped): - - failed failed failed',
    'stopped(lease-lost): - - queued queued queued',
    'stopped(interrupted): - - queued queued queued',
    'stopped(out-of-memory): - failed failed failed failed',
    'stopped(timed-out): - failed failed failed failed',
    'stopped(setup-failed): - failed failed failed failed',
    'stopped(not-started): - - queued queued queued',
    'lease-expired: - - lost lost lost',
    'requeued: - - - - -',
    'fenced: - - queued queued queued',
    'committed: - succeeded succeeded succeeded succeeded',
    'wanted: - - - - -',
    'wanted: - - - - -',
    'stop-requested: cancelled cancelled leased starting running',
    'job-expired: failed failed - - -',
  ]);
});

test('in any history an end is told once, attempts never exceed the maximum, and an ended job holds nothing', () => {
  const events = fc.array(fc.constantFrom(...EVENTS), { maxLength: 40 });
  fc.assert(
    fc.property(events, fc.integer({ min: 1, max: 3 }), (history, maxAttempts) => {
      let job: JobFacts = {
        ...TRAIN,
        state: 'submitted',
        attempts: 0,
        maxAttempts,
        retryOn: RETRY_ON,
        stopping: false,
        attemptLives: false,
      };
      let told = 0;
      for (const event of history) {
        const step = stepJob(job, event);
        if (step === undefined) continue;
        const placed = event.kind === 'placed';
        const attemptLives = placed || (job.attemptLives && !step.commands.includes('end-attempt'));
        const stopping = job.stopping || event.kind === 'stop-requested';
        job = { ...job, state: step.state, attempts: job.attempts + (placed ? 1 : 0), attemptLives, stopping };
        told += step.commands.filter((command) => command.startsWith('tell-')).length;
        assert.ok(job.attempts <= maxAttempts, 'attempts');
        if (['queued', 'lost', ...ENDS].includes(job.state)) assert.equal(job.attemptLives, false, job.state);
      }
      assert.equal(told, job.state === 'failed' || job.state === 'cancelled' ? 1 : 0);
    }),
    { numRuns: 20_000 },
  );
});

test('a stop of a job whose attempt has already ended cancels it, and a commit of an earlier attempt stops the current one', () => {
  const job = {
    ...TRAIN,
    state: 'running',
    attempts: 2,
    maxAttempts: 3,
    retryOn: RETRY_ON,
    stopping: false,
    attemptLives: true,
  } as const;
  assert.deepEqual(stepJob({ ...job, attemptLives: false }, { kind: 'stop-requested', graceMs: 0 }), {
    state: 'cancelled',
    commands: ['tell-cancelled'],
  });
  assert.deepEqual(stepJob(job, { kind: 'committed', attempt: 1 })?.commands, ['send-stop-committed', 'end-attempt']);
  assert.deepEqual(stepJob(job, { kind: 'committed', attempt: 2 })?.commands, ['end-attempt']);
});

test('a last word that comes late ends a job that waits, or whose next attempt is refused, where no attempt may follow it', () => {
  const base = { ...TRAIN, attempts: 2, maxAttempts: 9, retryOn: RETRY_ON, stopping: false } as const;
  const waiting = { ...base, state: 'queued', attemptLives: false } as const;
  const leased = { ...base, state: 'leased', attemptLives: true } as const;
  const refused = { kind: 'refused', noRoom: false } as const;
  for (const outcome of OUTCOMES) {
    const last = ['failed', 'out-of-memory', 'timed-out', 'setup-failed'].includes(outcome);
    assert.equal(stepJob(waiting, { kind: 'stopped', outcome })?.state, last ? 'failed' : undefined, outcome);
    assert.equal(stepJob({ ...leased, earlierWord: outcome }, refused)?.state, last ? 'failed' : 'queued', outcome);
    assert.equal(
      stepJob({ ...leased, earlierWord: outcome, type: 'serve', wanted: true }, refused)?.state,
      'queued',
      outcome,
    );
    const wished = { ...waiting, retryOn: ['interruption', 'error'] } as const;
    assert.equal(stepJob(wished, { kind: 'stopped', outcome })?.state, outcome === 'timed-out' ? 'failed' : undefined);
  }
  assert.equal(stepJob({ ...waiting, attempts: 0 }, { kind: 'stopped', outcome: 'failed' }), undefined);
});

test('an attempt is followed by another only for a reason that the owner named', () => {
  const job = { ...TRAIN, state: 'running', attempts: 1, maxAttempts: 3, stopping: false, attemptLives: true } as const;
  const again = (retryOn: JobFacts['retryOn'], event: JobEvent): boolean =>
    stepJob({ ...job, retryOn }, event)?.state === 'queued';
  const ends = EVENTS.filter(({ kind }) => kind === 'stopped' || kind === 'refused');
  const followed = (reason: JobFacts['retryOn'][number]): string[] =>
    ends
      .filter((event) => again([reason], event))
      .map((event) => (event.kind === 'stopped' ? event.outcome : event.kind));
  assert.deepEqual(followed('no-capacity'), ['refused', 'refused', 'not-started']);
  assert.deepEqual(followed('interruption'), ['refused', 'refused', 'lease-lost', 'interrupted', 'not-started']);
  assert.deepEqual(followed('error'), ['failed', 'out-of-memory', 'setup-failed']);
  for (const event of ends) assert.equal(again([], event), false);
  const requeued = (retryOn: JobFacts['retryOn']): string | undefined =>
    stepJob({ ...job, state: 'lost', attemptLives: false, retryOn }, { kind: 'requeued' })?.state;
  assert.deepEqual(
    [requeued(['interruption']), requeued(['error', 'no-capacity']), requeued([])],
    ['queued', 'failed', 'failed'],
  );
});
