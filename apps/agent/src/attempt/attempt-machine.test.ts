import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { newId, seededRng, type JobId } from '@ringfence/base';
import fc from 'fast-check';
import {
  EMPTY_MACHINE,
  KILL_BEFORE_MS,
  STOP_BEFORE_MS,
  stepMachine,
  type AttemptId,
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
function drive(
  events: readonly (MachineEvent | readonly [number, MachineEvent])[],
  from: MachineState = EMPTY_MACHINE,
) {
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
    const over = drive([
      lease(3),
      { type: 'refused', job, attempt: 3, refusal: 'bad-label' },
      { type: 'ended', job, attempt: 3 },
    ]);
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
    assert.deepEqual(late.commands, [{ type: 'kill', ...id, graceMs: STOP_BEFORE_MS - KILL_BEFORE_MS }]);
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
    // Nobody asked for its end: as stopped it would be the last of its job, and the custodian would grant no other.
    assert.deepEqual(exited.commands, [{ type: 'end', ...id, outcome: 'interrupted' }]);
    assert.deepEqual(drive([{ type: 'ended', ...id }], exited.state).commands, [{ type: 'admit', ...second }]);
  });

  it('waits for the word on its commit whatever the control plane says', () => {
    const committing = drive([
      ...TO_RUNNING,
      { type: 'exited', ...id, outcome: 'succeeded' },
      { type: 'collected', ...id },
    ]);
    const stopped = drive(
      [{ type: 'stop', ...id, graceMs: 0, why: 'stopped' }, [99_999, { type: 'time' }]],
      committing.state,
    );
    assert.deepEqual(stopped.commands, []);
  });
});

const anyId = fc.record({ job: fc.constantFrom<JobId>(...JOBS), attempt: fc.integer({ min: 1, max: 4 }) });
const fromOutside: fc.Arbitrary<MachineEvent> = fc.oneof(
  fc
    .tuple(anyId, fc.boolean(), fc.option(fc.integer({ min: 0, max: 120_000 }), { freq: 8 }))
    .map(([at, keep, deadline]) => ({ type: 'leased' as const, ...at, keep, deadline })),
  fc
    .tuple(anyId, fc.integer({ min: 0, max: 180_000 }))
    .map(([at, deadline]) => ({ type: 'renewed' as const, ...at, deadline })),
  anyId.map((at) => ({ type: 'stop' as const, ...at, graceMs: 0, why: 'stopped' as const })),
  fc.constant({ type: 'time' as const }),
);
type EffectType = 'admit' | 'grant' | 'prepare' | 'start' | 'collect' | 'commit' | 'refuse' | 'end';
type Effect = AttemptId & { readonly type: EffectType };

/** What the rim may answer to each effect that it was asked for. */
function answers({ type, job: of, attempt }: Effect): readonly MachineEvent[] {
  const at = { job: of, attempt };
  const failed = { type: 'failed', ...at, outcome: 'not-started' } as const;
  const possible: Record<EffectType, readonly MachineEvent[]> = {
    admit: [
      { type: 'admitted', ...at },
      { type: 'admitted', ...at },
      { type: 'refused', ...at, refusal: 'bad-label' },
    ],
    grant: [
      { type: 'granted', ...at },
      { type: 'granted', ...at },
      { type: 'refused', ...at, refusal: 'bad-grant' },
    ],
    prepare: [{ type: 'prepared', ...at }, { type: 'prepared', ...at }, failed],
    start: [
      { type: 'started', ...at },
      { type: 'exited', ...at, outcome: 'succeeded' },
      { type: 'exited', ...at, outcome: 'failed' },
    ],
    collect: [{ type: 'collected', ...at }, { type: 'collected', ...at }, failed],
    commit: [{ type: 'committed', ...at }, failed],
    refuse: [{ type: 'ended', ...at }],
    end: [{ type: 'ended', ...at }],
  };
  return possible[type];
}

const anyStep = fc.record({
  pause: fc.integer({ min: 0, max: 1_000 }),
  outside: fc.oneof({ weight: 5, arbitrary: fc.constant(null) }, { weight: 1, arbitrary: fromOutside }),
  which: fc.nat({ max: 1_000 }),
  how: fc.nat({ max: 1_000 }),
});

/** A rim that does what it is told, in any order, and keeps count of what the world would see. */
class World {
  state = EMPTY_MACHINE;
  now = 0;
  runs = 0;
  ends = 0;
  readonly #pending: Effect[] = [];
  readonly #granted = new Set<string>();
  readonly #mayRun = new Set<string>();
  readonly #ended = new Set<string>();

  step({
    pause,
    outside,
    which,
    how,
  }: {
    pause: number;
    outside: MachineEvent | null;
    which: number;
    how: number;
  }): void {
    this.now += pause;
    if (outside !== null) return this.#take(outside);
    const effect = this.#pending[which % Math.max(1, this.#pending.length)];
    if (effect === undefined) return;
    const possible = answers(effect);
    const event = possible[how % possible.length];
    if (event === undefined) return;
    // A start is answered twice: it runs, and it exits.
    if (event.type !== 'started') this.#pending.splice(this.#pending.indexOf(effect), 1);
    const key = `${effect.job} ${effect.attempt}`;
    if (event.type === 'granted') this.#granted.add(key);
    if (event.type === 'exited') this.#mayRun.delete(key);
    this.#take(event);
  }

  #take(event: MachineEvent): void {
    const { highest } = this.state;
    const { state, commands } = stepMachine(this.state, event, this.now);
    this.state = state;
    for (const [of, number] of highest) assert.ok((state.highest.get(of) ?? 0) >= number);
    for (const command of commands) this.#see(command);
  }

  #see(command: MachineCommand): void {
    if (command.type === 'wake' || command.type === 'cancel' || command.type === 'kill') return;
    const key = `${command.job} ${command.attempt}`;
    this.#pending.push({ type: command.type, job: command.job, attempt: command.attempt });
    if (command.type === 'start') {
      const held = this.state.live.find((attempt) => `${attempt.job} ${attempt.attempt}` === key);
      assert.ok(this.#granted.has(key), 'a run without a grant');
      assert.ok(
        held !== undefined && (held.keep || this.now < held.deadline - STOP_BEFORE_MS),
        'a run without a lease',
      );
      assert.ok(![...this.#mayRun].some((other) => other.startsWith(command.job)), 'two runs of one job');
      assert.ok(!this.#ended.has(key), 'a run after its end');
      assert.ok(command.attempt === this.state.highest.get(command.job), 'a run of an old attempt');
      this.#mayRun.add(key);
      this.runs += 1;
    }
    if (command.type === 'end') {
      assert.ok(!this.#mayRun.has(key), 'called over while it may run');
      assert.ok(!this.#ended.has(key), 'an end said twice');
      this.#ended.add(key);
      this.ends += 1;
    }
  }
}

it('in any order: one run of a job at a time, none without grant and lease, numbers only rise, each end is said once', () => {
  let runs = 0;
  let ends = 0;
  fc.assert(
    fc.property(fc.array(anyStep, { minLength: 30, maxLength: 150, size: 'max' }), (steps) => {
      const world = new World();
      for (const step of steps) world.step(step);
      runs += world.runs;
      ends += world.ends;
    }),
    { numRuns: 4_000 },
  );
  assert.ok(runs > 200 && ends > 1_000, `${runs} runs, ${ends} ends`);
});
