import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { newId, seededRng, type JobId } from '@ringfence/base';
import fc from 'fast-check';
import {
  EMPTY_MACHINE,
  STOP_BEFORE_MS,
  stepMachine,
  type MachineCommand,
  type MachineEvent,
  type MachineState,
} from './attempt-machine.ts';

const rng = seededRng('attempts');
const JOBS = [newId('job', rng), newId('job', rng)] as const;
const [job] = JOBS;
const id = { job, attempt: 1 };
const lease = (attempt = 1, deadline: number | null = 30_000, keep = false): MachineEvent => ({
  type: 'leased',
  job,
  attempt,
  keep,
  deadline,
});

/** Runs events at their times and gathers the commands. */
function drive(events: readonly (MachineEvent | readonly [number, MachineEvent])[], from: MachineState = EMPTY_MACHINE) {
  let state = from;
  const commands: MachineCommand[] = [];
  for (const entry of events) {
    const [now, event] = 'type' in entry ? [0, entry] : entry;
    const step = stepMachine(state, event, now);
    state = step.state;
    commands.push(...step.commands);
  }
  return { state, commands, types: commands.map(({ type }) => type) };
}

const TO_RUNNING: MachineEvent[] = [
  lease(),
  { type: 'admitted', ...id },
  { type: 'granted', ...id },
  { type: 'prepared', ...id },
  { type: 'started', ...id },
];

describe('one attempt', () => {
  it('goes from its lease to its commit', () => {
    const { types, state } = drive([
      ...TO_RUNNING,
      { type: 'exited', ...id, outcome: 'succeeded' },
      { type: 'collected', ...id },
      { type: 'committed', ...id },
      { type: 'ended', ...id },
    ]);
    assert.deepEqual(types, ['admit', 'wake', 'grant', 'prepare', 'start', 'collect', 'commit', 'end']);
    assert.equal(state.live.length, 0);
    assert.equal(state.highest.get(job), 1);
  });

  it('is refused when its number is not above all before it, for ever', () => {
    const over = drive([lease(3), { type: 'refused', job, attempt: 3, refusal: 'bad-label' }, { type: 'ended', job, attempt: 3 }]);
    for (const attempt of [1, 2, 3]) {
      const again = drive([lease(attempt)], over.state);
      assert.deepEqual(again.commands, [{ type: 'refuse', job, attempt, refusal: 'attempt-not-new' }]);
      assert.equal(again.state, over.state);
    }
  });

  it('that comes again while it lives changes nothing and says nothing', () => {
    assert.deepEqual(drive([lease()], drive(TO_RUNNING).state).commands, []);
  });

  it('is refused when the echo gives it no time, and never taken afterwards', () => {
    const refused = drive([lease(1, null)]);
    assert.deepEqual(refused.commands, [{ type: 'refuse', ...id, refusal: 'bad-lease' }]);
    assert.deepEqual(drive([lease(1)], refused.state).types, ['refuse']);
  });

  it('does not start on a lease that is about to end, and starts when it is renewed', () => {
    const late = 30_000 - STOP_BEFORE_MS;
    const ready = drive([...TO_RUNNING.slice(0, 3), [late, { type: 'prepared', ...id }]]);
    assert.ok(!ready.types.includes('start'));
    const renewed = drive([[late, { type: 'renewed', ...id, deadline: 60_000 }]], ready.state);
    assert.deepEqual(renewed.types, ['start', 'wake']);
  });

  it('is killed so that nothing of it runs when the lease ends', () => {
    const before = drive([[30_000 - STOP_BEFORE_MS - 1, { type: 'time' }]], drive(TO_RUNNING).state);
    assert.deepEqual(before.commands, []);
    const late = drive([[30_000 - STOP_BEFORE_MS, { type: 'time' }]], drive(TO_RUNNING).state);
    assert.deepEqual(late.commands, [{ type: 'kill', ...id, graceMs: STOP_BEFORE_MS }]);
    const ended = drive([{ type: 'exited', ...id, outcome: 'succeeded' }], late.state);
    assert.deepEqual(ended.commands, [{ type: 'end', ...id, outcome: 'lease-lost' }]);
  });

  it('goes on through a partition when it is to be kept', () => {
    const kept = drive([lease(1, 30_000, true), ...TO_RUNNING.slice(1), [10_000_000, { type: 'time' }]]);
    assert.ok(!kept.types.includes('kill') && !kept.types.includes('wake'));
  });

  it('is not lengthened by a frame that came late', () => {
    const { state, commands } = drive([{ type: 'renewed', ...id, deadline: 20_000 }], drive(TO_RUNNING).state);
    assert.deepEqual(commands, []);
    assert.equal(state.live[0]?.deadline, 30_000);
  });

  it('tells the custodian when it was refused after it had been asked', () => {
    const asked = drive([...TO_RUNNING.slice(0, 2), { type: 'refused', ...id, refusal: 'bad-grant' }]);
    assert.deepEqual(asked.commands.at(-1), { type: 'end', ...id, outcome: 'not-started', refusal: 'bad-grant' });
  });

  it('of a later number waits until the one before is over', () => {
    const second = { job, attempt: 2 };
    const taken = drive([lease(2)], drive(TO_RUNNING).state);
    assert.deepEqual(taken.types, ['kill', 'wake']);
    const exited = drive([{ type: 'exited', ...id, outcome: 'failed' }], taken.state);
    assert.deepEqual(exited.commands, [{ type: 'end', ...id, outcome: 'stopped' }]);
    assert.deepEqual(drive([{ type: 'ended', ...id }], exited.state).commands, [{ type: 'admit', ...second }]);
  });

  it('waits for the word on its commit whatever the control plane says', () => {
    const committing = drive([...TO_RUNNING, { type: 'exited', ...id, outcome: 'succeeded' }, { type: 'collected', ...id }]);
    const stopped = drive([{ type: 'stop', ...id, graceMs: 0, why: 'stopped' }, [99_999, { type: 'time' }]], committing.state);
    assert.deepEqual(stopped.commands, []);
  });
});

const anyId = fc.record({ job: fc.constantFrom<JobId>(...JOBS), attempt: fc.integer({ min: 1, max: 4 }) });
const anyEvent: fc.Arbitrary<MachineEvent> = fc.oneof(
  anyId.chain((at) =>
    fc.record({
      type: fc.constant('leased' as const),
      job: fc.constant(at.job),
      attempt: fc.constant(at.attempt),
      keep: fc.boolean(),
      deadline: fc.option(fc.integer({ min: 0, max: 60_000 })),
    }),
  ),
  anyId.chain((at) => fc.integer({ min: 0, max: 90_000 }).map((deadline) => ({ type: 'renewed' as const, ...at, deadline }))),
  anyId.map((at) => ({ type: 'stop' as const, ...at, graceMs: 0, why: 'stopped' as const })),
  fc.constant({ type: 'time' as const }),
  fc
    .tuple(anyId, fc.constantFrom('admitted', 'granted', 'prepared', 'started', 'collected', 'committed', 'ended'))
    .map(([at, type]) => ({ type, ...at }) as MachineEvent),
  anyId.map((at) => ({ type: 'refused' as const, ...at, refusal: 'bad-label' as const })),
  anyId.map((at) => ({ type: 'failed' as const, ...at, outcome: 'not-started' as const })),
  anyId.map((at) => ({ type: 'exited' as const, ...at, outcome: 'succeeded' as const })),
);

/** Events of effects come only from effects that were asked for and have not answered: the rest is a rim that lies. */
function honest(pending: ReadonlySet<string>, event: MachineEvent): boolean {
  if (event.type === 'leased' || event.type === 'renewed' || event.type === 'stop' || event.type === 'time') return true;
  const needs: Record<string, readonly string[]> = {
    admitted: ['admit'],
    granted: ['grant'],
    prepared: ['prepare'],
    started: ['start'],
    exited: ['start'],
    collected: ['collect'],
    committed: ['commit'],
    ended: ['end', 'refuse'],
    refused: ['admit', 'grant'],
    failed: ['prepare', 'start', 'collect', 'commit'],
  };
  return (needs[event.type] ?? []).some((type) => pending.has(`${type} ${event.job} ${event.attempt}`));
}

it('in any order: one run of a job at a time, none without a grant and a lease, numbers only rise, each end is said once', () => {
  let runs = 0;
  let ends = 0;
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.integer({ min: 0, max: 5_000 }), anyEvent), { maxLength: 120 }), (events) => {
      let state = EMPTY_MACHINE;
      let now = 0;
      const asked = new Set<string>();
      const granted = new Set<string>();
      const may = new Set<string>();
      const ended = new Set<string>();
      for (const [pause, event] of events) {
        now += pause;
        if (!honest(asked, event)) continue;
        const key = event.type === 'time' ? '' : `${event.job} ${event.attempt}`;
        if (event.type === 'granted') granted.add(key);
        if (event.type === 'exited' || (event.type === 'failed' && may.has(key))) may.delete(key);
        const highest = state.highest;
        const step = stepMachine(state, event, now);
        state = step.state;
        for (const [of, number] of highest) assert.ok((state.highest.get(of) ?? 0) >= number);
        for (const command of step.commands) {
          if (command.type === 'wake') continue;
          const at = `${command.job} ${command.attempt}`;
          asked.add(`${command.type} ${at}`);
          if (command.type === 'start') {
            const lease = step.state.live.find((attempt) => `${attempt.job} ${attempt.attempt}` === at);
            assert.ok(granted.has(at), 'a run without a grant');
            assert.ok(lease !== undefined && (lease.keep || now < lease.deadline - STOP_BEFORE_MS), 'a run without a lease');
            assert.ok(![...may].some((other) => other.startsWith(command.job)), 'two runs of one job');
            assert.ok(!ended.has(at), 'a run after its end');
            may.add(at);
            runs += 1;
          }
          if (command.type === 'end') {
            assert.ok(!may.has(at), 'called over while it may run');
            assert.ok(!ended.has(at), 'an end said twice');
            ended.add(at);
            ends += 1;
          }
        }
      }
    }),
    { numRuns: 5_000 },
  );
  assert.ok(runs > 50 && ends > 500, `${runs} runs, ${ends} ends`);
});
