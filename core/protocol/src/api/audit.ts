import { z } from 'zod';
import { whole } from '../fields.ts';

const count = whole(0, Number.MAX_SAFE_INTEGER);

/** The text of a signed note: a checkpoint with the lines of those who signed it. */
export const checkpointNote = z.string().max(4_096);
/** A key as transparency logs and witnesses publish it: `name+id+base64`. */
export const noteVerifierKey = z.string().max(320);

/** `GET /v1/audit`: an organisation's log at a control plane or custodian. */
export const auditHead = z.strictObject({
  origin: z.string().max(255),
  key: noteVerifierKey,
  size: count,
  /** The signed checkpoint; null before the first entry. */
  checkpoint: checkpointNote.nullable(),
});

/** `GET /v1/audit/tiles/:level/:index/:width`: a tile of hashes, or at level `entries` a bundle of entries, in base64. */
export const auditTile = z.strictObject({ data: z.base64() });

export type AuditHead = z.infer<typeof auditHead>;
