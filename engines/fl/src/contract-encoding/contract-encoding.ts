import { numberOf } from '@ringfence/protocol/federation';
import type { Contract } from '@ringfence/protocol/statements';
import { encodingOf, type UpdateEncoding } from '../distributed-noise/index.ts';
import { parameterCount } from '../trainer/index.ts';

/** The terms of a contract that say how an update becomes whole numbers. */
export type EncodedTerms = Pick<Contract, 'clients' | 'code' | 'encoding' | 'privacy'>;

/** Numbers that the model of a contract consists of. */
export function parametersOf({ code }: Pick<Contract, 'code'>): number {
  return code.kind === 'embedded' ? parameterCount(code.model) : code.parameters;
}

/**
 * The encoding of a contract's updates: what each client's agent encodes by and each custodian debits by. Noise is calibrated to `honestMin`, whoever survives. Throws FlError
 * `bad-parameters` for terms that no ring holds.
 */
export function encodingOfContract(contract: EncodedTerms): UpdateEncoding {
  const { clients, encoding, privacy } = contract;
  const { noise } = privacy;
  return encodingOf({
    dimension: parametersOf(contract),
    clients: clients.length,
    clipOf: privacy.unit.kind === 'organisation' ? 'update' : 'unit',
    clip: numberOf(privacy.clip),
    scale: numberOf(encoding.scale),
    width: encoding.ringWidth,
    noise: noise === null ? null : { multiplier: numberOf(noise.multiplier), honestMin: noise.honestMin },
  });
}
