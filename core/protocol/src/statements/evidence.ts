import { z } from 'zod';
import { evidenceGrade, evidenceStandard, idOf, moment, sha256 } from '../fields.ts';

/** `_type` of an in-toto Statement (in-toto/attestation, spec/v1/statement.md). */
export const IN_TOTO_STATEMENT = 'https://in-toto.io/Statement/v1';
/** `predicateType` of evidence; a name, which leads nowhere. */
export const EVIDENCE_PREDICATE = 'urn:ringfence:evidence:v1';
/** The most documents of evidence that an organisation keeps. */
export const MOST_EVIDENCE = 1_000;

/** What is claimed: of whom, by what standard, how well shown, and from when until when. Unknown members are refused. */
export const evidencePredicate = z
  .strictObject({
    standard: evidenceStandard,
    grade: evidenceGrade,
    /** Absent: the organisation itself. */
    provider: idOf('provider').optional(),
    sites: z.array(idOf('site')).min(1).max(64),
    from: moment,
    until: moment,
  })
  .refine(({ from, until }) => from < until, 'ends before it begins');

/**
 * A claim about a provider's sites: an in-toto Statement v1 whose subject is the document that shows it, by digest. As in-toto's parsing rules
 * demand, members that it does not know are left out around the predicate.
 */
export const evidenceStatement = z.object({
  _type: z.literal(IN_TOTO_STATEMENT),
  subject: z.array(z.object({ name: z.string().max(128).optional(), digest: z.object({ sha256 }) })).length(1),
  predicateType: z.literal(EVIDENCE_PREDICATE),
  predicate: evidencePredicate,
});

/** The issuer's word that its evidence of this digest no longer counts; it counts from when it is seen, whatever its time. */
export const evidenceRevocation = z.strictObject({
  v: z.literal(1),
  evidence: sha256,
  reason: z.enum(['withdrawn', 'replaced', 'mistaken', 'compromised']),
  at: moment,
});

export type EvidencePredicate = z.infer<typeof evidencePredicate>;
export type EvidenceStatement = z.infer<typeof evidenceStatement>;
