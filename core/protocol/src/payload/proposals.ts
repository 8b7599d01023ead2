import { z } from 'zod';
import { envelope, idOf, moment, sha256, whole } from '../fields.ts';

/** Something that takes two people, or one who waits. */
export const proposalView = z.strictObject({
  proposal: idOf('proposal'),
  kind: z.enum(['keyring', 'policy', 'privacy-budget']),
  /** Of the statement; who agrees names it. */
  digest: sha256,
  statement: envelope,
  device: idOf('device'),
  madeAt: moment,
  phase: z.enum(['collecting', 'waiting', 'ready', 'done', 'ended']),
  outcome: z.enum(['done', 'objected', 'expired', 'failed']).nullable(),
  approvals: z.array(z.strictObject({ device: idOf('device'), member: idOf('member') })),
  /** How much of a lone officer's delay has run, in milliseconds. */
  waitedMs: whole(0, Number.MAX_SAFE_INTEGER),
  expiresAt: moment,
});
/** `GET /v1/proposals`: the newest hundred. The answer to an objection, too. */
export const proposalsAnswer = z.strictObject({ proposals: z.array(proposalView) });
/** `POST /v1/proposals/:proposal/approve`. */
export const proposalApproval = z.strictObject({ digest: sha256 });

export type ProposalView = z.infer<typeof proposalView>;
