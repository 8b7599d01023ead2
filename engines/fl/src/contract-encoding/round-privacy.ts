import type { PrivacyUnit } from '@ringfence/protocol/federation';
import type { Contract } from '@ringfence/protocol/statements';
import { noiseAgainst, type NoiseAgainst } from '../distributed-noise/index.ts';
import { encodingOfContract, type EncodedTerms } from './contract-encoding.ts';

/** What one round of a contract does to each of its datasets. */
export interface RoundPrivacy {
  readonly unit: PrivacyUnit;
  readonly grade: Contract['privacy']['grade'];
  /** By onlooker; {@link debitedView} says by which of them a budget is debited. None without noise: each round is then a release that is not counted. */
  readonly against: NoiseAgainst | undefined;
}

/**
 * The privacy of one round by the contract's own terms: nothing that an agent says enters. Throws FlError `bad-parameters` for terms that
 * no ring holds.
 */
export function roundPrivacy(contract: EncodedTerms): RoundPrivacy {
  const { unit, grade, noise } = contract.privacy;
  return {
    unit,
    grade,
    against: noise === null ? undefined : noiseAgainst(encodingOfContract(contract), { rounds: 1 }),
  };
}
