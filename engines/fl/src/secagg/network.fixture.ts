import { Secret, seededRng, utf8, type Rng } from '@ringfence/base';
import { sha256Hex, SigningKey } from '@ringfence/crypto/sign';
import { reduce, ringWidth } from '../ring/index.ts';
import type { AggregatorCommand, AggregatorEvent, AggregatorOutcome, AggregatorPhase } from './aggregator-events.ts';
import type { AggregatorState } from './aggregator-state.ts';
import { startAggregator, stepAggregator } from './aggregator.ts';
import type { ClientEvent, ClientOutcome } from './client-events.ts';
import { isOver, type ClientState, type ClientStep } from './client-state.ts';
import { resumeClient, startClient, stepClient } from './client.ts';
import { openRound, type Round, type RoundParameters } from './round.ts';

/** Identities of members and of the aggregator, by number. */
export function identityOf(name: string): SigningKey {
  const known = identities.get(name) ?? SigningKey.generate(seededRng(`identity ${name}`));
  identities.set(name, known);
  return known;
}

const identities = new Map<string, SigningKey>();

const digestOf = (text: string) => sha256Hex(utf8(text));

/** A round of `clients` members, each an organisation of its own; all else as usual, or as `other` says. */
export function sampleRound(clients: number, other: Partial<RoundParameters> = {}): Round {
  return openRound({
    contract: digestOf('contract'),
    round: 1,
    model: digestOf('model'),
    config: digestOf('config'),
    members: Array.from({ length: clients }, (_, at) => ({
      identity: identityOf(String(at)).publicKey,
      unit: `organisation ${at}`,
    })),
    aggregator: identityOf('aggregator').publicKey,
    width: ringWidth(20),
    length: 7,
    corrupt: 0.1,
    dropout: 0.1,
    leastMembers: 3,
    leastUnits: 3,
    ...other,
  });
}

/** A vector below 2^width. */
export function sampleVector(round: Round, rng: Rng): Uint32Array {
  const words = new Uint32Array(Uint8Array.from(rng.bytes(4 * round.length)).buffer);
  reduce(words, round.width);
  return words;
}

/** The sum of vectors mod 2^width. */
export function plainSum(round: Round, vectors: readonly Uint32Array[]): Uint32Array {
  const sum = new Uint32Array(round.length);
  for (const vector of vectors) for (const [at, value] of vector.entries()) sum[at] = (sum[at] ?? 0) + value;
  reduce(sum, round.width);
  return sum;
}

/** What one client's house has: what it stored, and the frames on its link. */
interface House {
  state: ClientState | undefined;
  stored: Uint8Array | undefined;
  sequence: number;
  readonly vector: Uint32Array;
  readonly up: Uint8Array[];
  readonly down: Uint8Array[];
  outcome: ClientOutcome | undefined;
  code: string | undefined;
}

/** Clients and an aggregator on links that keep frames in order until they break. Nothing waits: who drives it decides what is delivered when. */
export class SampleNetwork {
  readonly round: Round;
  readonly houses: House[];
  aggregator: AggregatorState;
  outcome: AggregatorOutcome | undefined;
  code: string | undefined;
  armed: AggregatorPhase | undefined;
  /** What the aggregator has stored. */
  record: Uint8Array | undefined;
  readonly excluded: [member: number, code: string][] = [];
  /** Every frame that a client sent, for tests of what leaves it. */
  readonly sent: [member: number, frame: Uint8Array][] = [];
  readonly #rng: Rng;

  constructor(round: Round, seed: string) {
    this.round = round;
    this.#rng = seededRng(seed);
    const started = startAggregator(round, -1, { identity: identityOf('aggregator'), rng: this.#rng });
    this.aggregator = started.state;
    this.houses = round.members.map(() => ({
      state: undefined,
      stored: undefined,
      sequence: -1,
      vector: sampleVector(round, this.#rng),
      up: [],
      down: [],
      outcome: undefined,
      code: undefined,
    }));
    this.#obey(started.commands);
  }

  house(member: number): House {
    const house = this.houses[member];
    if (house === undefined) throw new RangeError('no such member');
    return house;
  }

  /** A client begins and gives its vector at once. */
  begin(member: number): void {
    const { round } = this;
    this.take(member, startClient({ round, member, sequence: this.house(member).sequence }, this.#ports(member)));
    this.client(member, { kind: 'input', vector: Uint32Array.from(this.house(member).vector) });
  }

  /** Gives a client an event. */
  client(member: number, event: ClientEvent): void {
    const { state } = this.house(member);
    if (state !== undefined) this.take(member, stepClient(state, event, this.#ports(member)));
  }

  /** Carries a client's commands out. */
  take(member: number, { state, commands }: ClientStep): void {
    const house = this.house(member);
    house.state = state;
    for (const command of commands) {
      if (command.kind === 'persist') {
        house.stored = Uint8Array.from(command.state.expose());
        house.sequence = command.sequence;
      } else if (command.kind === 'send') {
        house.up.push(Uint8Array.from(command.frame));
        this.sent.push([member, Uint8Array.from(command.frame)]);
      } else if (command.kind === 'finished') house.outcome = command.outcome;
      else if (command.kind === 'aborted') house.code = command.code;
    }
  }

  /** Gives the aggregator an event. */
  aggregate(event: AggregatorEvent): void {
    const step = stepAggregator(this.aggregator, event);
    this.aggregator = step.state;
    this.#obey(step.commands);
  }

  /** Delivers the oldest frame of a client's link in one direction; false when there is none. */
  deliver(member: number, direction: 'up' | 'down'): boolean {
    const frame = this.house(member)[direction].shift();
    if (frame === undefined) return false;
    if (direction === 'up') this.aggregate({ kind: 'frame', member, frame });
    else this.client(member, { kind: 'frame', frame });
    return true;
  }

  /** The link breaks, with all that was on it, and is up again. */
  reconnect(member: number): void {
    const house = this.house(member);
    house.up.length = 0;
    house.down.length = 0;
    if (house.state === undefined) return;
    this.client(member, { kind: 'connected' });
    this.aggregate({ kind: 'connected', member });
  }

  /** The client's process is killed and starts again from what it had stored. */
  restart(member: number): void {
    const house = this.house(member);
    house.up.length = 0;
    house.down.length = 0;
    if (house.stored === undefined || house.state === undefined || isOver(house.state)) return;
    const { round } = this;
    const saved = new Secret(Uint8Array.from(house.stored));
    this.take(member, resumeClient({ round, member, sequence: house.sequence }, saved));
    this.client(member, { kind: 'input', vector: Uint32Array.from(house.vector) });
    this.aggregate({ kind: 'connected', member });
  }

  /** The client's process is killed for good. */
  drop(member: number): void {
    const house = this.house(member);
    house.up.length = 0;
    house.down.length = 0;
    house.state = undefined;
  }

  /** Delivers everything in turn until nothing is under way, then lets deadlines pass, until the round is over. */
  run(): void {
    for (let turns = 0; turns < 10_000 && this.outcome === undefined && this.code === undefined; turns += 1) {
      let moved = false;
      for (const member of this.houses.keys())
        while (this.deliver(member, 'up') || this.deliver(member, 'down')) moved = true;
      if (!moved && this.armed !== undefined) this.aggregate({ kind: 'deadline', phase: this.armed });
    }
    for (const member of this.houses.keys()) while (this.deliver(member, 'down'));
  }

  /** The plaintext sum of those whom the outcome names. */
  expectedSum(): Uint32Array {
    return plainSum(
      this.round,
      (this.outcome?.included ?? []).map((member) => this.house(member).vector),
    );
  }

  #ports(member: number) {
    return { identity: identityOf(String(member)), rng: this.#rng };
  }

  #obey(commands: readonly AggregatorCommand[]): void {
    for (const command of commands) {
      if (command.kind === 'send') {
        const house = this.house(command.member);
        if (house.state !== undefined) house.down.push(Uint8Array.from(command.frame));
      } else if (command.kind === 'persist') this.record = command.record;
      else if (command.kind === 'arm') this.armed = command.phase;
      else if (command.kind === 'exclude') this.excluded.push([command.member, command.code]);
      else if (command.kind === 'finished') this.outcome = command.outcome;
      else if (command.kind === 'aborted') this.code = command.code;
    }
  }
}
