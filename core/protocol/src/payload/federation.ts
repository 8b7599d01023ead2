import { z } from 'zod';
import { attemptNumber, envelope, idOf, moment, sha256, whole } from '../fields.ts';
import { FEDERATION_ROLES } from './federation-role.ts';
import { payloadName } from './workload.ts';

/** Number of a round of one contract, from 1; each is used once, whatever becomes of it. */
export const roundNumber = whole(1, 1_000_000_000);

/** Why a custodian lets no round begin. */
export const ROUND_REFUSALS = [
  /** The attempt is not the current one of a granted client's job of this contract, or not this agent's. */
  'not-current',
  /** The contract is not held here, or does not hold any more: what failed is among the checks. */
  'contract',
  /** A party withdrew, and the contract ends then; its word is in the answer. */
  'withdrawn',
  'expired',
  /** A round beyond the last one of the contract. */
  'done',
  /** The privacy ledger of the dataset has not enough left: why is among the checks. */
  'budget',
  'paused',
  /** A later round was given before, or this one to another attempt. */
  'round-over',
] as const;
/** One of {@link ROUND_REFUSALS}. */
export type RoundRefusal = (typeof ROUND_REFUSALS)[number];
/** Those that may pass: the agent asks again, for this round or a later one. The others end its part in the federation. */
export const PASSING_ROUND_REFUSALS: ReadonlySet<RoundRefusal> = new Set(['paused', 'round-over']);

/** `POST /v1/federations/CONTRACT/rounds`, from the agent of a client's attempt, before it joins a round. Asking again is answered alike, and debited once. */
export const roundRequest = z.strictObject({ job: idOf('job'), attempt: attemptNumber, round: roundNumber });
/** A leave holds for joining before `notAfter`; whoever comes later asks again. */
export const roundAnswer = z.discriminatedUnion('result', [
  z.strictObject({ result: z.literal('leave'), round: roundNumber, notAfter: moment }),
  z.strictObject({
    result: z.literal('refused'),
    reason: z.enum(ROUND_REFUSALS),
    checks: z.array(z.string().max(40)).max(32),
    /** Withdrawals of parties, for the agent to hand on. */
    withdrawals: z.array(envelope).max(64).optional(),
  }),
]);

/** What came of a round, as a client's agent saw it: sums over all who took part, never one's own numbers. */
export const roundReport = z.strictObject({
  outcome: z.enum(['summed', 'aborted']),
  /** The model was tested, not trained. */
  task: z.literal('evaluate').optional(),
  /** Agents whose updates are in the sum. */
  survivors: z.array(idOf('agent')).max(256),
  /** Of the contract's clients, those that were not. */
  missing: z.array(idOf('agent')).max(256),
  /** Rows that were trained on. */
  examples: z.number().min(0).max(1e15).optional(),
  /** Means over the rows, such as the loss. */
  metrics: z.record(z.string().regex(/^[a-z][a-z0-9_]{0,31}$/), z.number()).optional(),
  /** Why it was given up. */
  why: z
    .string()
    .regex(/^[a-z0-9-]{1,40}$/)
    .optional(),
});
/** `POST /v1/federations/CONTRACT/reports`, from the agent of the attempt that had leave for the round. */
export const roundReportRequest = z.strictObject({ ...roundRequest.shape, report: roundReport });
/** The custodian keeps it; a report for a round that had none changes nothing. */
export const roundReportAnswer = z.strictObject({ stored: z.boolean() });

/** A round for which this custodian gave leave. */
export const roundRow = z.strictObject({
  round: roundNumber,
  job: idOf('job'),
  attempt: attemptNumber,
  agent: idOf('agent'),
  at: moment,
  report: roundReport.optional(),
});
/** A job of this organisation in a federation. */
export const federationJobRow = z.strictObject({
  job: idOf('job'),
  role: z.enum(FEDERATION_ROLES),
  /** Who was given its newest attempt. */
  agent: idOf('agent').nullable(),
  /** Of a client. */
  dataset: payloadName.optional(),
  at: moment,
  /** Its results are committed, it was closed, or it may still run. */
  state: z.enum(['committed', 'closed', 'open']),
});
/** `GET /v1/federations/CONTRACT`: what this custodian knows of one; the newest rounds first. */
export const federationAnswer = z.strictObject({
  contract: sha256,
  name: payloadName,
  paused: z.boolean(),
  /** It was paused by the custodian, since too many rounds in a row came to nothing. */
  stopped: z.literal(true).optional(),
  jobs: z.array(federationJobRow),
  rounds: z.array(roundRow).max(1_000),
  /** How many there are in all. */
  given: whole(0, 1_000_000_000),
});
/** `POST /v1/federations/CONTRACT/pause` and `…/resume`. */
export const pauseRequest = z.strictObject({});

export type RoundRequest = z.output<typeof roundRequest>;
export type RoundAnswer = z.input<typeof roundAnswer>;
export type RoundReport = z.output<typeof roundReport>;
export type RoundRow = z.output<typeof roundRow>;
export type FederationAnswer = z.output<typeof federationAnswer>;
