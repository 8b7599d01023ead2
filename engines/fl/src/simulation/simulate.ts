import { fromHex, seededRng, toHex, utf8, type Rng } from '@ringfence/base';
import { sha256Hex, SigningKey } from '@ringfence/crypto/sign';
import { decodeSum, encodeUpdate, rotationSeed, type UpdateEncoding } from '../distributed-noise/index.ts';
import { reduce, ringWidth } from '../ring/index.ts';
import { LEAST_UNITS, openRound } from '../secagg/index.ts';
import { boundedMean, serverStep, startServer, type ServerState, type Strategy } from '../strategies/index.ts';
import {
  initialModel,
  shuffled,
  trainRound,
  type Examples,
  type ModelSpec,
  type TrainConfig,
} from '../trainer/index.ts';
import { runSecureRound, type SimulatedParties } from './secure-round.ts';

/** A federation in one process: the trainer, encoding, secure aggregation and strategy that a real one has. */
export interface SimulationPlan {
  readonly spec: ModelSpec;
  readonly training: TrainConfig;
  readonly strategy: Strategy;
  readonly encoding: UpdateEncoding;
  readonly rounds: number;
  /** Clients that begin a round and are lost before their vector, chosen anew each round. */
  readonly lost: number;
  /** `secure`: through secure aggregation; `open`: vectors are added as they are, which comes to the same sum. */
  readonly sums: 'secure' | 'open';
  /** The most by which a round's mean may move the model (L2); none where it is left out. */
  readonly longestMove?: number;
}

/** What a round came to. */
export interface SimulatedRound {
  /** From 1. */
  readonly round: number;
  readonly state: ServerState;
  /** Clients whose updates are in the sum. */
  readonly included: number;
  /** Mean of their losses in training. */
  readonly loss: number;
}

/** Runs `clients` through the plan, a round at a time. Throws FlError for a plan that cannot be, or a round that came to no sum. */
export function* simulate(plan: SimulationPlan, clients: readonly Examples[], rng: Rng): Generator<SimulatedRound> {
  const { spec, strategy, encoding, rounds, lost, sums, longestMove = Infinity } = plan;
  // Apart, so that both kinds of sum train alike.
  const protocolRng = seededRng(toHex(rng.bytes(32)));
  const parties = sums === 'secure' ? partiesOf(clients.length, protocolRng) : undefined;
  const contract = sha256Hex(utf8('simulated contract'));
  let state = startServer(strategy, initialModel(spec, rng));
  for (let round = 1; round <= rounds; round += 1) {
    const seed = rotationSeed(fromHex(contract), round);
    const { vectors, loss } = trainAll(plan, clients, {
      state,
      seed,
      rng,
      lost: new Set(shuffled(clients.length, rng).subarray(0, lost)),
    });
    const sum =
      parties === undefined
        ? addAll(vectors, encoding)
        : sumSecurely({ plan, round, contract, vectors, parties, rng: protocolRng });
    const included = clients.length - lost;
    const mean = decodeSum(sum, encoding, seed).map((value) => value / included);
    state = serverStep(strategy, state, boundedMean(mean, longestMove));
    yield { round, state, included, loss };
  }
}

interface Opening {
  readonly state: ServerState;
  readonly seed: Uint8Array;
  readonly rng: Rng;
  readonly lost: ReadonlySet<number>;
}

function trainAll(
  { spec, training, strategy, encoding }: SimulationPlan,
  clients: readonly Examples[],
  opening: Opening,
) {
  const { state, seed, rng, lost } = opening;
  const config =
    strategy.kind === 'fedprox' && training.method === 'epochs' ? { ...training, proximal: strategy.mu } : training;
  let losses = 0;
  const vectors = clients.map((examples, client) => {
    if (lost.has(client)) return undefined;
    const { delta, loss } = trainRound({ spec, weights: state.model, examples, config, rng });
    losses += loss;
    return encodeUpdate(delta, encoding, seed, rng);
  });
  return { vectors, loss: losses / (clients.length - lost.size) };
}

function addAll(vectors: readonly (Uint32Array | undefined)[], { dimension, width }: UpdateEncoding): Uint32Array {
  const sum = new Uint32Array(dimension);
  for (const vector of vectors)
    if (vector !== undefined)
      for (let at = 0; at < dimension; at += 1) sum[at] = (sum[at] as number) + (vector[at] as number);
  reduce(sum, ringWidth(width));
  return sum;
}

interface SecureSum {
  readonly plan: SimulationPlan;
  readonly round: number;
  readonly contract: ReturnType<typeof sha256Hex>;
  readonly vectors: readonly (Uint32Array | undefined)[];
  readonly parties: SimulatedParties;
  readonly rng: Rng;
}

function sumSecurely({ plan, round, contract, vectors, parties, rng }: SecureSum): Uint32Array {
  const { encoding } = plan;
  const opened = openRound({
    contract,
    round,
    model: sha256Hex(utf8(`simulated model ${round}`)),
    config: sha256Hex(utf8('simulated configuration')),
    members: parties.members.map(({ publicKey }, member) => ({ identity: publicKey, unit: `organisation ${member}` })),
    aggregator: parties.aggregator.publicKey,
    width: ringWidth(encoding.width),
    length: encoding.dimension,
    corrupt: 0.1,
    dropout: 0.1,
    leastMembers: Math.max(LEAST_UNITS, encoding.honestMin),
    leastUnits: LEAST_UNITS,
  });
  return runSecureRound(opened, vectors, parties, rng).sum;
}

function partiesOf(clients: number, rng: Rng): SimulatedParties {
  return {
    members: Array.from({ length: clients }, () => SigningKey.generate(rng)),
    aggregator: SigningKey.generate(rng),
  };
}
