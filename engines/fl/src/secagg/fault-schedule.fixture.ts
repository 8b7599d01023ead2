import assert from 'node:assert/strict';
import { randomBelow, seededRng, type Rng } from '@ringfence/base';
import { isOver } from './client-state.ts';
import { decodeFrame, type FrameKind } from './frames.ts';
import { SampleNetwork, sampleRound } from './network.fixture.ts';

/** How a schedule ended. */
export interface ScheduleEnd {
  readonly clients: number;
  readonly faults: number;
  /** Why the aggregator gave the round up; undefined when it made the sum. */
  readonly code: string | undefined;
  readonly included: number;
}

/** How an honest round may end without a sum, and an honest client without a part in it. */
const CLEAN: ReadonlySet<string> = new Set(['left-behind', 'too-few-organisations', 'too-few-survivors']);
const FAULTS = ['drop', 'drop', 'reconnect', 'restart', 'crash', 'repeat', 'slow'] as const;
const MOST_TURNS = 20_000;

/**
 * A round in which frames of different links overtake each other, come twice or late, links break, clients are killed at any frame and for good (up to 30 %) or come back
 * from what they had stored. Asserts that the sum is bit-equal to the plaintext or the round ends cleanly, and that no client ever says two things where one is allowed.
 */
export function runSchedule(seed: string, clients: number): ScheduleEnd {
  const rng = seededRng(seed);
  const network = new SampleNetwork(sampleRound(clients, { dropout: 0.3, corrupt: 0, length: 5 }), seed);
  const schedule = new Schedule(network, rng);
  const faults = schedule.run();
  const { outcome, code } = network;
  assert.ok(outcome !== undefined || code !== undefined, `${seed}: the round neither ends nor aborts`);
  if (outcome !== undefined) assert.deepEqual(outcome.sum, network.expectedSum(), seed);
  if (code !== undefined) assert.ok(CLEAN.has(code), `${seed}: ${code}`);
  for (const house of network.houses)
    assert.ok(house.code === undefined || CLEAN.has(house.code), `${seed}: ${house.code}`);
  assert.deepEqual(
    network.excluded.filter(([, each]) => !CLEAN.has(each)),
    [],
    seed,
  );
  assertSaidOnce(network, seed);
  return { clients, faults, code, included: outcome?.included.length ?? 0 };
}

/** What a client sent of each kind (and of each piece of the vector) it sent in the same bytes. */
function assertSaidOnce({ sent }: SampleNetwork, seed: string): void {
  const said = new Map<string, Buffer>();
  for (const [member, bytes] of sent) {
    const { attempt, body } = decodeFrame(bytes);
    const once: ReadonlySet<FrameKind> = new Set(['keys', 'reveal', 'shares', 'chunk', 'consent', 'answer']);
    if (!once.has(body.kind)) continue;
    const what = [member, attempt, body.kind, body.kind === 'chunk' ? body.index : ''].join(' ');
    const before = said.get(what);
    assert.ok(before === undefined || before.equals(bytes), `${seed}: ${what} in two ways`);
    said.set(what, Buffer.from(bytes));
  }
}

class Schedule {
  readonly #network: SampleNetwork;
  readonly #rng: Rng;
  readonly #slow = new Set<number>();
  #mayDrop: number;

  constructor(network: SampleNetwork, rng: Rng) {
    this.#network = network;
    this.#rng = rng;
    this.#mayDrop = Math.floor(0.3 * network.houses.length);
  }

  run(): number {
    const network = this.#network;
    const faultEvery = 4 + this.#below(60);
    let faults = 0;
    for (const member of network.houses.keys()) if (this.#below(20) > 0) network.begin(member);
    for (let turn = 0; turn < MOST_TURNS && network.outcome === undefined && network.code === undefined; turn += 1) {
      const links = [...network.houses.keys()].filter((member) => !this.#slow.has(member));
      const waiting = links.flatMap((member) =>
        (['up', 'down'] as const)
          .filter((way) => network.house(member)[way].length > 0)
          .map((way) => ({ member, way })),
      );
      const next = waiting[waiting.length === 0 ? 0 : this.#below(waiting.length)];
      if (next === undefined) this.#whenQuiet();
      else if (this.#below(faultEvery) > 0) network.deliver(next.member, next.way);
      else {
        faults += 1;
        this.#fault(next.member, next.way);
      }
    }
    for (const member of network.houses.keys()) while (network.deliver(member, 'down'));
    return faults;
  }

  /** Nothing is under way: the slow ones catch up, or the time is over. */
  #whenQuiet(): void {
    const network = this.#network;
    const [slow] = this.#slow;
    if (slow !== undefined && this.#below(2) === 0) this.#slow.delete(slow);
    else if (this.#below(4) === 0) network.aggregate({ kind: 'stalled-uploads' });
    else if (network.armed !== undefined) network.aggregate({ kind: 'deadline', phase: network.armed });
  }

  #fault(member: number, way: 'up' | 'down'): void {
    const network = this.#network;
    const house = network.house(member);
    switch (FAULTS[this.#below(FAULTS.length)] ?? 'slow') {
      case 'drop':
        if (this.#mayDrop === 0) return;
        this.#mayDrop -= 1;
        return network.drop(member);
      case 'reconnect':
        return network.reconnect(member);
      case 'restart':
        return network.restart(member);
      case 'crash': {
        // Killed while it acts upon a frame: nothing of that was stored or sent.
        const before = { stored: house.stored, sequence: house.sequence, sent: network.sent.length, code: house.code };
        if (house.state === undefined || isOver(house.state)) return;
        network.deliver(member, 'down');
        if (house.state === undefined || isOver(house.state)) return;
        house.stored = before.stored;
        house.sequence = before.sequence;
        network.sent.length = before.sent;
        return network.restart(member);
      }
      case 'repeat': {
        const [frame] = house[way];
        if (frame !== undefined) house[way].unshift(Uint8Array.from(frame));
        return;
      }
      case 'slow':
        this.#slow.add(member);
    }
  }

  #below(bound: number): number {
    return randomBelow(this.#rng, bound);
  }
}
