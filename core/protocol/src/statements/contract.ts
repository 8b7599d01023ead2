import { z } from 'zod';
import { evaluationTerms, robustnessTerms } from '../federation/evaluation-terms.ts';
import { modelSpec } from '../federation/model-spec.ts';
import { encodingTerms, privacyTerms, secureAggregationTerms } from '../federation/privacy-terms.ts';
import { strategySpec } from '../federation/strategy-spec.ts';
import { columnName, dataSchema, plainText, trainingSettings } from '../federation/training-spec.ts';
import { bytes32, idOf, moment, sha256, signKey, tlsKey, whole } from '../fields.ts';
import { partyRoute } from '../payload/enrolment.ts';
import { imageText, pythonVersion } from '../payload/image-source.ts';
import { payloadName } from '../payload/workload.ts';
import { purposeWord } from './release.ts';

const v = z.literal(1);

/** The most organisations, and the most datasets, of one contract. */
export const MOST_PARTIES = 64;
export const MOST_CLIENTS = 256;
/** No contract lets fewer take part in a round: the sum over two tells each of them the other's. */
export const FEWEST_ORGANISATIONS = 3;

/** An organisation that signs: by the root that its peers compared, and with a keyring that is at least this long. */
export const contractParty = z.strictObject({
  org: idOf('org'),
  name: plainText(64),
  root: signKey,
  keyring: z.strictObject({ seq: whole(0, 1_000_000), digest: sha256 }),
});

/** One version of a dataset as its custodian has it. */
export const contractDataset = z.strictObject({
  artifact: idOf('artifact'),
  name: payloadName,
  version: whole(1, 1_000_000),
  manifest: sha256,
  sensitivity: z.enum(['public', 'internal', 'confidential', 'restricted']),
  /** Whose word releases what is made of it; signs the contract too. */
  owner: idOf('device'),
  /** Every column that it has. */
  columns: z.array(columnName).max(4_096),
});

const contractAgent = {
  org: idOf('org'),
  agent: idOf('agent'),
  site: idOf('site'),
  sign: signKey,
  tls: tlsKey,
};

/** An agent that trains on one dataset, which does not leave it. */
export const contractClient = z.strictObject({ ...contractAgent, dataset: contractDataset });
/** The agent that adds up what the clients send, and how they reach it. */
export const contractAggregator = z.strictObject({
  ...contractAgent,
  relay: partyRoute.shape.relay,
  lan: partyRoute.shape.lan,
});

/** What trains: the trainer that Ringfence brings, or code by its digest. */
export const contractCode = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('embedded'), model: modelSpec, data: dataSchema, training: trainingSettings }),
  z.strictObject({
    kind: z.literal('own'),
    /** Numbers that its model consists of. */
    parameters: whole(1, 100_000_000),
    /** Of the code's files: {@link codeDigest}. */
    digest: sha256,
    run: z.string().min(1).max(4_096),
    setup: z.string().min(1).max(4_096).optional(),
    image: imageText.optional(),
    python: pythonVersion.optional(),
  }),
]);

/** How often, and for how long. */
export const contractRounds = z.strictObject({
  count: whole(1, 100_000),
  /** A round that takes longer is given up. */
  longestMs: whole(1_000, 86_400_000),
});

/** What comes out, and who gets it. */
export const contractOutput = z.strictObject({
  what: z.literal('model'),
  artifact: payloadName,
  recipients: z.array(idOf('org')).min(1).max(MOST_PARTIES),
});

/** Several organisations' agreement to train one model: all that configures it, signed by a device of each. */
export const contractStatement = z.strictObject({
  v,
  name: payloadName,
  /** Keeps whoever sees its digest from guessing what it says, and two agreements of the same words apart. */
  salt: bytes32,
  purpose: purposeWord,
  parties: z.array(contractParty).min(1).max(MOST_PARTIES),
  clients: z.array(contractClient).min(FEWEST_ORGANISATIONS).max(MOST_CLIENTS),
  aggregator: contractAggregator,
  code: contractCode,
  strategy: strategySpec,
  rounds: contractRounds,
  evaluation: evaluationTerms.optional(),
  robustness: robustnessTerms.optional(),
  /** Organisations whose updates are in a sum, that of the aggregator not counted; sites where there is one organisation alone. */
  minOrganisations: whole(FEWEST_ORGANISATIONS, MOST_CLIENTS),
  secureAggregation: secureAggregationTerms,
  encoding: encodingTerms,
  privacy: privacyTerms,
  outputs: z.array(contractOutput).min(1).max(1),
  /** What becomes of it when a party withdraws: it ends, or goes on while enough are left. */
  withdrawal: z.enum(['stop', 'go-on']),
  at: moment,
  notAfter: moment,
});

/** A party takes part no longer. */
export const contractWithdrawal = z.strictObject({
  v,
  org: idOf('org'),
  device: idOf('device'),
  contract: sha256,
  at: moment,
});

export type Contract = z.infer<typeof contractStatement>;
export type ContractParty = z.infer<typeof contractParty>;
export type ContractClient = z.infer<typeof contractClient>;
export type ContractAggregator = z.infer<typeof contractAggregator>;
export type ContractCode = z.infer<typeof contractCode>;
