import { z } from 'zod';
import { contractFile } from '../federation/contract-file.ts';
import { plainText } from '../federation/training-spec.ts';
import { envelope, idOf, moment, sha256, whole } from '../fields.ts';
import { contractAggregator, contractClient, contractParty, MOST_PARTIES } from '../statements/contract.ts';
import { payloadName } from './workload.ts';

/** `held`: every party signed, and nothing is against it. */
export const CONTRACT_STATES = ['incomplete', 'held', 'withdrawn', 'expired', 'faulty'] as const;

/** Where a contract stands by this custodian's keyring and clock. */
export const contractRow = z.strictObject({
  contract: sha256,
  name: payloadName,
  state: z.enum(CONTRACT_STATES),
  at: moment,
  notAfter: moment,
  parties: z
    .array(z.strictObject({ org: idOf('org'), name: z.string().max(64), signers: z.array(idOf('device')).max(512) }))
    .max(MOST_PARTIES),
  /** Names of what is missing or wrong (docs/federation.md), and on whose side. */
  faults: z.array(z.strictObject({ code: z.string().max(40), org: idOf('org').optional() })).max(4_096),
  /** Statements `contract-withdrawal`, the oldest first. */
  withdrawals: z.array(envelope).max(MOST_PARTIES),
});
/** `GET /v1/contracts`: the newest first. */
export const contractsAnswer = z.strictObject({ contracts: z.array(contractRow) });
/** `POST /v1/contracts`: a contract that a device of this organisation has signed, or another copy of it with more signatures. */
export const contractRequest = z.strictObject({ file: contractFile });
/** `GET /v1/contracts/:contract`, and the answer to a change. */
export const contractAnswer = z.strictObject({ row: contractRow, file: contractFile });
/** `POST /v1/contracts/:contract/withdraw`: a statement `contract-withdrawal` of this organisation, or of another party. */
export const contractWithdrawalRequest = z.strictObject({ withdrawal: envelope });

/** `POST /v1/contracts/offer`: which of its datasets the organisation would put into a contract, at which agents. */
export const contractOfferRequest = z.strictObject({
  clients: z
    .array(
      z.strictObject({
        agent: idOf('agent'),
        dataset: payloadName,
        /** The newest one when absent. */
        version: whole(1, 1_000_000).optional(),
      }),
    )
    .max(64),
  aggregator: idOf('agent').optional(),
});
/** Its answer: all of an offer that the custodian knows; columns are for whoever has the data to say. */
export const contractOfferAnswer = z.strictObject({
  party: contractParty.omit({ name: true }),
  keyring: z.array(envelope),
  clients: z.array(contractClient.extend({ dataset: contractClient.shape.dataset.omit({ columns: true }) })),
  aggregator: contractAggregator.optional(),
});

/** `POST /v1/peers`: what people here call a peer. */
export const peerNameRequest = z.strictObject({ org: idOf('org'), name: plainText(64) });
/** `GET /v1/peers`: names alone; the keyring says who is a peer. */
export const peersAnswer = z.strictObject({ peers: z.array(peerNameRequest).max(4_096) });

export type PeerName = z.infer<typeof peerNameRequest>;
export type ContractRow = z.infer<typeof contractRow>;
export type ContractState = ContractRow['state'];
export type ContractAnswer = z.infer<typeof contractAnswer>;
export type ContractOfferRequest = z.infer<typeof contractOfferRequest>;
export type ContractOfferAnswer = z.infer<typeof contractOfferAnswer>;
