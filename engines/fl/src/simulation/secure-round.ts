import type { Rng } from '@ringfence/base';
import type { SigningKey } from '@ringfence/crypto/sign';
import { FlError, type FlErrorCode } from '../fl-error.ts';
import {
  startAggregator,
  startClient,
  stepAggregator,
  stepClient,
  type AggregatorCommand,
  type AggregatorOutcome,
  type AggregatorPhase,
  type AggregatorState,
  type ClientCommand,
  type ClientState,
  type Round,
} from '../secagg/index.ts';

/** Who takes part in a simulated round: the keys behind its members, by number, and the aggregator's. */
export interface SimulatedParties {
  readonly members: readonly SigningKey[];
  readonly aggregator: SigningKey;
}

/** Numbers from which a simulated client's and aggregator's memories begin: before any round. */
const FRESH = -1;

/**
 * Secure aggregation of `vectors` by the same clients and aggregator as in a house, on links within this process: every frame is sent and checked, only nothing waits. A member without a vector is lost once
 * it has dealt its shares. Throws the FlError that the aggregator ended with.
 */
export function runSecureRound(
  round: Round,
  vectors: readonly (Uint32Array | undefined)[],
  parties: SimulatedParties,
  rng: Rng,
): AggregatorOutcome {
  const links = new Links(round, vectors, parties, rng);
  links.run();
  if (links.outcome === undefined)
    throw new FlError(links.code ?? 'bad-parameters', 'the simulated round came to no sum');
  return links.outcome;
}

interface Place {
  state: ClientState | undefined;
}

/** The clients and the aggregator of one round, and what is on its way between them. */
class Links {
  outcome: AggregatorOutcome | undefined;
  code: FlErrorCode | undefined;
  readonly #vectors: readonly (Uint32Array | undefined)[];
  readonly #parties: SimulatedParties;
  readonly #rng: Rng;
  readonly #places: readonly Place[];
  #aggregator: AggregatorState;
  #armed: AggregatorPhase | undefined;
  readonly #toAggregator: { member: number; frame: Uint8Array }[] = [];
  readonly #toClients: { member: number; frame: Uint8Array }[] = [];

  constructor(round: Round, vectors: readonly (Uint32Array | undefined)[], parties: SimulatedParties, rng: Rng) {
    this.#vectors = vectors;
    this.#parties = parties;
    this.#rng = rng;
    this.#places = round.members.map(() => ({ state: undefined }));
    const started = startAggregator(round, FRESH, { identity: parties.aggregator, rng });
    this.#aggregator = started.state;
    this.#obey(started.commands);
    for (const member of round.members.keys()) {
      const step = startClient({ round, member, sequence: FRESH }, this.#ports(member));
      this.#take(member, step.state, step.commands);
    }
  }

  /** Delivers what is under way; when nothing is, the deadline of the phase comes. */
  run(): void {
    while (this.outcome === undefined && this.code === undefined) {
      const up = this.#toAggregator.splice(0);
      for (const { member, frame } of up) this.#aggregate({ kind: 'frame', member, frame });
      const down = this.#toClients.splice(0);
      for (const { member, frame } of down) {
        const { state } = this.#places[member] as Place;
        if (state === undefined) continue;
        const step = stepClient(state, { kind: 'frame', frame }, this.#ports(member));
        this.#take(member, step.state, step.commands);
      }
      if (up.length > 0 || down.length > 0) continue;
      if (this.#armed === undefined) return;
      const phase = this.#armed;
      this.#armed = undefined;
      this.#aggregate({ kind: 'deadline', phase });
    }
  }

  #aggregate(event: Parameters<typeof stepAggregator>[1]): void {
    const step = stepAggregator(this.#aggregator, event);
    this.#aggregator = step.state;
    this.#obey(step.commands);
  }

  #take(member: number, state: ClientState, commands: readonly ClientCommand[]): void {
    const place = this.#places[member] as Place;
    place.state = state;
    for (const command of commands)
      if (command.kind === 'send') this.#toAggregator.push({ member, frame: Uint8Array.from(command.frame) });
      else if (command.kind === 'persist') command.state[Symbol.dispose]();
      else if (command.kind === 'need-input') this.#give(member, place);
      else if (command.kind === 'aborted') place.state = undefined;
  }

  #give(member: number, place: Place): void {
    const vector = this.#vectors[member];
    if (vector === undefined || place.state === undefined) {
      place.state = undefined;
      return;
    }
    const step = stepClient(place.state, { kind: 'input', vector: Uint32Array.from(vector) }, this.#ports(member));
    this.#take(member, step.state, step.commands);
  }

  #obey(commands: readonly AggregatorCommand[]): void {
    for (const command of commands)
      if (command.kind === 'send')
        this.#toClients.push({ member: command.member, frame: Uint8Array.from(command.frame) });
      else if (command.kind === 'arm') this.#armed = command.phase;
      else if (command.kind === 'finished') this.outcome = command.outcome;
      else if (command.kind === 'aborted') this.code = command.code;
  }

  #ports(member: number): { identity: SigningKey; rng: Rng } {
    return { identity: this.#parties.members[member] as SigningKey, rng: this.#rng };
  }
}
