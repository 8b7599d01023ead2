import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newId, seededRng } from '@ringfence/base';
import fc from 'fast-check';
import type { Endpoint, Revision, Slot } from './endpoint-state.ts';
import { GIVE_UP_AFTER_MS, planEndpoint, type Surroundings } from './rollout.ts';

const rng = seededRng('rollout');
const agent = newId('agent', rng);
const MADE = 1_000_000;
const around = (edit: Partial<Surroundings> = {}): Surroundings => ({
  now: MADE + 1_000,
  since: 0,
  load: undefined,
  heard: () => true,
  ...edit,
});

type Sketch = 'parked' | 'wanted' | 'ready' | 'closed' | 'stopping';

function slotOf(sketch: Sketch, slot: number): Slot {
  const running = sketch === 'ready' || sketch === 'stopping';
  return {
    job: newId('job', rng),
    slot,
    wanted: sketch === 'wanted' || sketch === 'ready',
    told: null,
    attempt: running ? 1 : 0,
    agent: running ? agent : null,
    running,
    said: running ? 'ready' : null,
    closed: sketch === 'closed',
  };
}

function revisionOf(
  revision: number,
  state: Revision['state'],
  sketches: readonly Sketch[],
  replicas = { min: 1, max: Math.max(1, sketches.length) },
): Revision {
  return {
    revision,
    state,
    service: { port: 8_000, api: 'http', replicas, scaling: { metric: 'concurrency', target: 10 } },
    sensitivity: 'internal',
    madeAt: MADE,
    slots: sketches.map(slotOf),
  };
}

function endpointOf(revisions: readonly Revision[], edit: Partial<Endpoint> = {}): Endpoint {
  return {
    endpoint: newId('endpoint', rng),
    name: 'echo',
    manual: null,
    removed: false,
    revisions,
    tokens: [],
    ...edit,
  };
}

/** The plan with slots by their number. */
function plan(endpoint: Endpoint, surroundings = around()) {
  const { turns, wishes } = planEndpoint(endpoint, surroundings);
  const place = (job: string): string => {
    const of = endpoint.revisions.find(({ slots }) => slots.some((slot) => slot.job === job));
    return `${of?.revision}/${of?.slots.findIndex((slot) => slot.job === job)}`;
  };
  return {
    turns: turns.map(({ revision, state }) => `${revision} ${state}`),
    wishes: wishes.map(({ job, wanted }) => `${place(job)} ${wanted ? 'on' : 'off'}`),
  };
}

test('the first revision wants one replica even where none would do, and is current with it', () => {
  const none = { min: 0, max: 2 };
  assert.deepEqual(plan(endpointOf([revisionOf(1, 'coming', ['parked', 'parked'], none)])), {
    turns: [],
    wishes: ['1/0 on'],
  });
  assert.deepEqual(plan(endpointOf([revisionOf(1, 'coming', ['ready', 'parked'], none)])).turns, ['1 current']);
});

test('the next revision takes over when it has as many ready as the one before it wants, not earlier', () => {
  const old = revisionOf(1, 'current', ['ready', 'ready', 'parked'], { min: 2, max: 3 });
  const early = plan(endpointOf([old, revisionOf(2, 'coming', ['ready', 'wanted', 'parked'])]));
  assert.deepEqual(early, { turns: [], wishes: [] });
  const due = plan(endpointOf([old, revisionOf(2, 'coming', ['ready', 'ready', 'parked'], { min: 2, max: 3 })]));
  assert.deepEqual(due, { turns: ['2 current', '1 going'], wishes: ['1/0 off', '1/1 off'] });
  const smaller = plan(endpointOf([old, revisionOf(2, 'coming', ['ready'])]));
  assert.deepEqual(smaller.turns, ['2 current', '1 going'], 'it has no more slots than that');
});

test('a revision that does not become ready is given up after ten minutes of watching, and the one before stays', () => {
  const endpoint = endpointOf([revisionOf(1, 'current', ['ready']), revisionOf(2, 'coming', ['wanted'])]);
  assert.deepEqual(plan(endpoint, around({ now: MADE + GIVE_UP_AFTER_MS - 1 })).turns, []);
  const late = plan(endpoint, around({ now: MADE + GIVE_UP_AFTER_MS }));
  assert.deepEqual(late, { turns: ['2 gone'], wishes: ['2/0 off'] });
  const away = around({ now: MADE + GIVE_UP_AFTER_MS, since: MADE + GIVE_UP_AFTER_MS - 1 });
  assert.deepEqual(plan(endpoint, away).turns, [], 'who was not there to see it gives it its time');
  const lost = endpointOf([revisionOf(1, 'current', ['ready']), revisionOf(2, 'coming', ['closed'])]);
  assert.deepEqual(plan(lost).turns, ['2 gone'], 'with no job left there is nothing to wait for');
});

test('what is going is gone when nothing of it runs any more', () => {
  const going = (sketch: Sketch) =>
    plan(endpointOf([revisionOf(1, 'going', [sketch]), revisionOf(2, 'current', ['ready'])])).turns;
  assert.deepEqual(going('stopping'), []);
  assert.deepEqual(going('parked'), ['1 gone']);
});

test('a replica whose agent is silent is replaced while others are left', () => {
  const endpoint = endpointOf([revisionOf(1, 'current', ['ready', 'parked'])]);
  const [cut] = endpoint.revisions[0]?.slots ?? [];
  const silent = around({ heard: (job) => job !== cut?.job });
  assert.deepEqual(plan(endpoint, silent).wishes, ['1/0 off', '1/1 on']);
  assert.deepEqual(plan(endpointOf([revisionOf(1, 'current', ['ready'])]), around({ heard: () => false })).wishes, []);
});

test('a removed endpoint wants nothing', () => {
  const removed = endpointOf([revisionOf(1, 'going', ['ready', 'wanted'])], { removed: true });
  assert.deepEqual(plan(removed), { turns: [], wishes: ['1/0 off', '1/1 off'] });
});

test('whatever there is: one revision serves at most, and what serves is not taken away before another does', () => {
  const sketches = fc.array(fc.constantFrom<Sketch>('parked', 'wanted', 'ready', 'closed', 'stopping'), {
    minLength: 1,
    maxLength: 5,
  });
  fc.assert(
    fc.property(sketches, sketches, fc.nat(GIVE_UP_AFTER_MS * 2), fc.option(fc.nat(6)), (old, fresh, late, manual) => {
      const endpoint = endpointOf([revisionOf(1, 'current', old), revisionOf(2, 'coming', fresh)], { manual });
      const { turns } = planEndpoint(endpoint, around({ now: MADE + late }));
      const states = new Map<number, string>([
        [1, 'current'],
        [2, 'coming'],
        ...turns.map(({ revision, state }): [number, string] => [revision, state]),
      ]);
      assert.equal([...states.values()].filter((state) => state === 'current').length, 1);
      if (states.get(1) !== 'current') assert.ok(fresh.includes('ready') || fresh.includes('stopping'));
    }),
  );
});
