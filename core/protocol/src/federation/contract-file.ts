import { z } from 'zod';
import { envelope, idOf } from '../fields.ts';
import {
  contractAggregator,
  contractClient,
  contractParty,
  MOST_CLIENTS,
  MOST_PARTIES,
} from '../statements/contract.ts';

/** The most bytes of a contract file or an offer. */
export const MOST_CONTRACT_FILE = 1_048_576;

/** A DSSE envelope of a `contract`: longer than those that cross a control link, with more signatures, and none while it is a draft. */
export const contractEnvelope = envelope.extend({
  payloadType: z.literal('application/vnd.ringfence.contract.v1+json'),
  payload: z.base64().max(524_288),
  signatures: z
    .array(envelope.shape.signatures.unwrap().element)
    .max(2 * MOST_PARTIES + MOST_CLIENTS)
    .readonly(),
});

/** A contract as it is passed on: what was signed, by whom so far, and by which keyrings their right is checked. */
export const contractFile = z.strictObject({
  v: z.literal(1),
  contract: contractEnvelope,
  keyrings: z
    .array(z.strictObject({ org: idOf('org'), statements: z.array(envelope).min(1).max(4_096) }))
    .min(1)
    .max(MOST_PARTIES),
});

/** What others need to know of an organisation to draft a contract with it. */
export const contractOffer = z.strictObject({
  v: z.literal(1),
  party: contractParty,
  keyring: z.array(envelope).min(1).max(4_096),
  clients: z.array(contractClient).max(MOST_CLIENTS),
  /** Where it would let an agent of its own be the aggregator. */
  aggregator: contractAggregator.optional(),
});

export type ContractFile = z.infer<typeof contractFile>;
export type ContractOffer = z.infer<typeof contractOffer>;
