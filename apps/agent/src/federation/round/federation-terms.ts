import { canonicalBytes, concatBytes, fromHex, utf8, seededRng, type AgentId, type Rng } from '@ringfence/base';
import { sha256, sha256Hex, type Digest } from '@ringfence/crypto/sign';
import { encodingOfContract, parametersOf } from '@ringfence/fl/contract-encoding';
import { decodeSum, encodeUpdate, rotationSeed, type UpdateEncoding } from '@ringfence/fl/distributed-noise';
import { ringWidth } from '@ringfence/fl/ring';
import { openRound, type Round } from '@ringfence/fl/secagg';
import { boundedMean } from '@ringfence/fl/strategies';
import { initialModel } from '@ringfence/fl/trainer';
import { groupOf, type HeldContract } from '@ringfence/keyring';
import { numberOf } from '@ringfence/protocol/federation';
import type { Contract, ContractClient } from '@ringfence/protocol/statements';
import type { JobUpdate } from '../job-socket/read-update.ts';
import {
  decodeFigures,
  encodeFigures,
  figureLayout,
  figureLength,
  type FigureLayout,
  type RoundFigures,
} from './figures.ts';

/** What a contract makes of a round, the same at every party that holds it. */
export interface FederationTerms {
  readonly digest: Digest;
  readonly contract: Contract;
  readonly held: HeldContract;
  /** Numbers that the model consists of. */
  readonly parameters: number;
  readonly encoding: UpdateEncoding;
  /** How figures are summed; none where noise hides what they would tell, or the ring is too narrow. */
  readonly figures: FigureLayout | undefined;
}

/** What came out of a round: the sum of the updates, and the figures of all who are in it. */
export interface RoundSum {
  readonly updates: Float64Array;
  readonly figures: RoundFigures | undefined;
  /** Clients that are in it. */
  readonly clients: number;
}

/** Data of the aggregator's own organisation hides nobody from it. */
const WITH_AGGREGATOR = 'aggregator';

/** The terms of a contract that holds; throws FlError `bad-parameters` for one whose numbers no ring holds. */
export function termsOf(held: HeldContract): FederationTerms {
  const { body: contract, digest } = held.contract;
  const encoding = encodingOfContract(contract);
  const figures = contract.privacy.noise === null ? figureLayout(encoding.width, contract.clients.length) : undefined;
  return { digest, contract, held, parameters: parametersOf(contract), encoding, figures };
}

/** A round of these terms that starts from the model with digest `model`; throws FlError for one that must not be. */
export function roundOf(terms: FederationTerms, round: number, model: Digest): Round {
  const { encoding, figures } = terms;
  return contractRound(terms, {
    round,
    model,
    config: sha256Hex(canonicalBytes({ v: 1, figures: figures ?? null })),
    width: ringWidth(encoding.width),
    length: encoding.dimension + (figures === undefined ? 0 : figureLength(figures)),
  });
}

/** A round of secure aggregation between the parties of a contract; throws FlError for one that must not be. */
export function contractRound(
  { contract, digest }: FederationTerms,
  of: Pick<Round, 'round' | 'model' | 'config' | 'width' | 'length'>,
): Round {
  const { secureAggregation, minOrganisations, privacy } = contract;
  return openRound({
    ...of,
    contract: digest,
    members: contract.clients.map((client) => ({
      identity: client.sign,
      unit: groupOf(contract, client) ?? WITH_AGGREGATOR,
    })),
    aggregator: contract.aggregator.sign,
    aggregatorUnit: WITH_AGGREGATOR,
    corrupt: numberOf(secureAggregation.corrupt),
    dropout: numberOf(secureAggregation.dropout),
    // Fewer would leave less noise than was promised.
    leastMembers: Math.max(minOrganisations, privacy.noise?.honestMin ?? 0),
    leastUnits: minOrganisations,
  });
}

/** The vector that a client masks: its update, within the contract's bound, clipped and with its share of the noise, and its figures. Throws FlError `bad-update`, `bad-size`. */
export function vectorOf(terms: FederationTerms, round: number, update: JobUpdate, rng: Rng): Uint32Array {
  const { encoding, figures } = terms;
  const values = withinNorm(terms, Float64Array.from(update.values));
  const encoded = encodeUpdate(values, encoding, seedOf(terms, round), rng);
  if (figures === undefined) return encoded;
  const vector = new Uint32Array(encoded.length + figureLength(figures));
  vector.set(encoded);
  vector.set(encodeFigures(update, figures), encoded.length);
  return vector;
}

/** An update, or a mean of them, brought down to the norm that the contract bounds it by; as it is where it bounds none. */
export function withinNorm({ contract: { robustness } }: FederationTerms, values: Float64Array): Float64Array {
  return robustness === undefined ? values : boundedMean(values, numberOf(robustness.updateNorm));
}

/** What the sum of `clients` clients' vectors says. Throws FlError `bad-size`. */
export function sumOf(terms: FederationTerms, round: number, sum: Uint32Array, clients: number): RoundSum {
  const { encoding, figures } = terms;
  const updates = decodeSum(sum.subarray(0, encoding.dimension), encoding, seedOf(terms, round));
  if (figures === undefined) return { updates, figures: undefined, clients };
  return { updates, figures: decodeFigures(sum.subarray(encoding.dimension), figures, clients), clients };
}

/** The model that the first round starts from: drawn by the contract's digest for the embedded trainer, zeros for code of one's own. */
export function firstModel({ contract, digest, parameters }: FederationTerms): Float32Array {
  if (contract.code.kind === 'own') return new Float32Array(parameters);
  return Float32Array.from(initialModel(contract.code.model, seededRng(`ringfence/first-model/v1 ${digest}`)));
}

/** A number that all clients of a contract draw their own first model by, where their code wants one. */
export function seedNumber({ digest }: FederationTerms): number {
  return new DataView(sha256(concatBytes(utf8('ringfence/seed/v1\0'), fromHex(digest))).buffer).getUint32(0) >>> 1;
}

/** The client that `agent` is in a contract, and its place in the list. */
export function memberOf(
  { contract }: FederationTerms,
  agent: AgentId,
): { client: ContractClient; member: number } | undefined {
  const member = contract.clients.findIndex((client) => client.agent === agent);
  const client = contract.clients[member];
  return client === undefined ? undefined : { client, member };
}

function seedOf({ digest }: FederationTerms, round: number): Uint8Array {
  return rotationSeed(fromHex(digest), round);
}
