import type { Fact, StoredFact } from '@ringfence/client/control-link';
import type { Digest } from '@ringfence/crypto/sign';
import { sha256 } from '@ringfence/protocol';
import { z } from 'zod';

const taken = z.strictObject({ contract: sha256, sequence: z.int().min(0) });

/** Reads how far this agent's part in contracts has come out of the facts of a link's journal. */
export class FederationHistory {
  readonly #sequences = new Map<Digest, number>();

  /** The highest sequence number of a contract's secure aggregation that may have led to anything being sent; −1 for none. */
  sequenceOf(contract: Digest): number {
    return this.#sequences.get(contract) ?? -1;
  }

  /** Takes the next fact; throws ZodError for one that this release did not write. */
  take({ name, body }: Pick<StoredFact, 'name' | 'body'>): void {
    if (name !== 'federation-step') return;
    const { contract, sequence } = taken.parse(body);
    this.#sequences.set(contract, Math.max(sequence, this.sequenceOf(contract)));
  }
}

/** A step of secure aggregation is about to be answered: it is never answered anew, whatever happens to this process. */
export function federationStepFact(contract: Digest, sequence: number): Fact {
  return { name: 'federation-step', body: { contract, sequence } };
}

/** A sum was made here, by this transcript. */
export function federationSumFact(contract: Digest, round: number, transcript: Digest): Fact {
  return { name: 'federation-sum', body: { contract, round, transcript } };
}
