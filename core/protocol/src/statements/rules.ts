import { z } from 'zod';
import {
  bytes32,
  evidenceGrade,
  evidenceStandard,
  idOf,
  isolation,
  jurisdiction,
  moment,
  sensitivity,
  tier,
  whole,
} from '../fields.ts';
import { egressTarget } from '../payload/egress.ts';
import { payloadName } from '../payload/workload.ts';
import { MOST_DENIED, price } from './placement.ts';

/** What a profile asks of every job that names it; each member can only make a job stricter, and asks nothing where it is absent. */
export const profileRequirements = z.strictObject({
  /** At least this. */
  sensitivity: sensitivity.optional(),
  tiers: z.array(tier).min(1).max(3).optional(),
  residency: z.array(jurisdiction).min(1).max(32).optional(),
  residencyDeny: z.array(jurisdiction).min(1).max(MOST_DENIED).optional(),
  isolation: isolation.optional(),
  evidence: z
    .strictObject({
      require: z.array(evidenceStandard).max(8).optional(),
      grade: evidenceGrade.optional(),
      maxAgeDays: whole(1, 3650).optional(),
    })
    .optional(),
  burst: z.literal('never').optional(),
  customerKey: z.literal(true).optional(),
  /** The only targets that a job may reach; the empty list for none. */
  egress: z.array(egressTarget).max(64).optional(),
  logs: z.literal('local').optional(),
  spot: z.literal('never').optional(),
  maxPrice: price.optional(),
  /** For a whole job. */
  budget: price.optional(),
  maxDurationMs: whole(1_000, 31_536_000_000).optional(),
});

const signedRule = {
  v: z.literal(1),
  org: idOf('org'),
  /** Keeps whoever sees its digest from guessing what it says. */
  salt: bytes32,
  /** One more than that of the statement which it replaces. */
  seq: whole(1, 1_000_000),
  at: moment,
};

/** An officer's named set of requirements; without them the name stands for nothing any more. */
export const profileStatement = z.strictObject({
  ...signedRule,
  device: idOf('device'),
  name: payloadName,
  requirements: profileRequirements.nullable(),
});

/** The longest text of an organisation policy, in characters. */
export const MOST_POLICY_TEXT = 8_000;

/** What an organisation forbids its jobs, in Cedar; signed by as many officers as a rule for two people asks. The empty text forbids nothing. */
export const policyStatement = z.strictObject({
  ...signedRule,
  cedar: z.string().max(MOST_POLICY_TEXT),
  /** Own roles and conditions on who may do what, in Cedar; absent or empty: the built-in roles alone. */
  access: z.string().max(MOST_POLICY_TEXT).optional(),
});

export type ProfileRequirements = z.infer<typeof profileRequirements>;
export type ProfileStatement = z.infer<typeof profileStatement>;
export type PolicyStatement = z.infer<typeof policyStatement>;
