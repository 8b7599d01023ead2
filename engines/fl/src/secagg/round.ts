import { canonicalBytes, concatBytes, utf8 } from '@ringfence/base';
import { sha256, type Digest, type SigningPublicKey } from '@ringfence/crypto/sign';
import { FlError } from '../fl-error.ts';
import type { RingWidth } from '../ring/ring-width.ts';

/** One whom the contract lets take part: its place in the contract's list is its member number. */
export interface Member {
  readonly identity: SigningPublicKey;
  /** The organisation whose data it holds; in a federation inside one organisation, the site. */
  readonly unit: string;
}

/** What every participant of a round has to agree on; all of it is in the digest that they sign and that seeds the masks. */
export interface RoundParameters {
  readonly contract: Digest;
  /** Rounds of a contract only grow. */
  readonly round: number;
  /** Digest of the global model that the round starts from. */
  readonly model: Digest;
  /** Digest of everything else that the contract fixes: training, noise, layout of the vector. */
  readonly config: Digest;
  readonly members: readonly Member[];
  readonly aggregator: SigningPublicKey;
  /** The aggregator's own organisation, whose data does not count towards `leastUnits`. */
  readonly aggregatorUnit?: string;
  readonly width: RingWidth;
  /** Coordinates of the vector. */
  readonly length: number;
  /** The part of the roster that may collude with the aggregator, 0 to 0.5. */
  readonly corrupt: number;
  /** The part of the roster that may drop out, 0 to 0.5. */
  readonly dropout: number;
  readonly leastMembers: number;
  /** `min_organisations` of the contract, at least {@link LEAST_UNITS}. */
  readonly leastUnits: number;
}

/** A round whose parameters were checked. */
export interface Round extends RoundParameters {
  /** 32 bytes: SHA-256 of the parameters. */
  readonly digest: Uint8Array;
}

/** No sum of fewer organisations (or sites) is opened. */
export const LEAST_UNITS = 3;
/** Member numbers and places on a roster are 16 bits wide. */
export const MOST_MEMBERS = 65_535;
/** A roster is drawn up again when somebody withholds its part of the beacon; each time gives a colluder one more draw. */
export const MOST_ATTEMPTS = 8;
/** Bytes of a vector in one frame. */
export const CHUNK_BYTES = 2 ** 20;
const MOST_COORDINATES = 2 ** 28;
const DOMAIN = utf8('ringfence/secagg/v1 round\0');

/**
 * Checks a round's parameters; throws FlError `bad-parameters`, also where more members are of the aggregator's own organisation than may collude with it, or
 * `too-few-organisations` below the floor.
 */
export function openRound(parameters: RoundParameters): Round {
  const { round, members, length, corrupt, dropout, leastMembers, leastUnits } = parameters;
  const whole = (value: number, least: number, most: number): boolean =>
    Number.isSafeInteger(value) && value >= least && value <= most;
  const part = (value: number): boolean => value >= 0 && value < 0.5;
  if (!whole(leastUnits, LEAST_UNITS, MOST_MEMBERS))
    throw new FlError(
      'too-few-organisations',
      'a sum of fewer than three organisations would show one of them another',
    );
  if (
    !whole(round, 0, 2 ** 32 - 1) ||
    !whole(members.length, LEAST_UNITS, MOST_MEMBERS) ||
    !whole(length, 1, MOST_COORDINATES) ||
    !whole(leastMembers, LEAST_UNITS, members.length) ||
    !part(corrupt) ||
    !part(dropout)
  )
    throw new FlError('bad-parameters', 'the parameters of this round are outside what the protocol allows');
  if (membersWithAggregator(parameters) > Math.floor(corrupt * members.length))
    throw new FlError('bad-parameters', 'more members are of the aggregator’s organisation than may collude with it', {
      next: 'raise `corrupt` in the contract, or have another organisation add up',
    });
  const identities = new Set(members.map(({ identity }) => identity));
  if (identities.size !== members.length)
    throw new FlError('sybil-roster', 'the contract names one identity as two members');
  return { ...parameters, digest: sha256(concatBytes(DOMAIN, canonicalBytes(plainOf(parameters)))) };
}

function plainOf(parameters: RoundParameters) {
  const { contract, round, model, config, aggregator, width, length, leastMembers, leastUnits } = parameters;
  return {
    contract,
    round,
    model,
    config,
    aggregator,
    aggregatorUnit: parameters.aggregatorUnit ?? null,
    width,
    length,
    leastMembers,
    leastUnits,
    // Canonical JSON holds whole numbers: parts in millionths.
    corrupt: Math.round(parameters.corrupt * 1e6),
    dropout: Math.round(parameters.dropout * 1e6),
    members: parameters.members.map(({ identity, unit }) => [identity, unit]),
  };
}

/** How many members are of the aggregator's own organisation (or site), and may tell it all they know. */
export function membersWithAggregator({ members, aggregatorUnit }: Pick<Round, 'members' | 'aggregatorUnit'>): number {
  if (aggregatorUnit === undefined) return 0;
  return members.filter(({ unit }) => unit === aggregatorUnit).length;
}

/** How many organisations (or sites) other than the aggregator's own these members cover. */
export function unitsOf(round: Round, members: Iterable<number>): number {
  const units = new Set<string>();
  for (const member of members) {
    const unit = round.members[member]?.unit;
    if (unit !== undefined && unit !== round.aggregatorUnit) units.add(unit);
  }
  return units.size;
}
