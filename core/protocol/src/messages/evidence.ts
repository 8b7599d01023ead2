import { z } from 'zod';
import { evidenceGrade, evidenceStandard, idOf, moment, sha256 } from '../fields.ts';

/** The custodian's notice that a document about sites counts, or no longer does; what the document says stays with it. */
export const evidence = z.discriminatedUnion('op', [
  z.strictObject({
    op: z.literal('add'),
    evidence: sha256,
    standard: evidenceStandard,
    grade: evidenceGrade,
    /** Whose sites: null for the organisation's own; absent where a custodian does not say yet. */
    provider: idOf('provider').nullable().optional(),
    sites: z.array(idOf('site')).min(1).max(64),
    from: moment,
    until: moment,
  }),
  z.strictObject({ op: z.literal('remove'), evidence: sha256 }),
]);
