import { z } from 'zod';
import { evidenceEnvelope, envelope, moment } from '../fields.ts';

/** `POST /v1/evidence`: a document whose issuer the keyring pins. */
export const evidenceRequest = z.strictObject({ document: evidenceEnvelope });
/** `POST /v1/evidence/DIGEST/revoke`: the issuer's word that its document no longer counts. */
export const evidenceRevocationRequest = z.strictObject({ revocation: envelope });
/** One document, with its revocation. */
export const evidenceRow = z.strictObject({
  document: evidenceEnvelope,
  revocation: envelope.nullable(),
  at: moment,
});
/** `GET /v1/evidence`, the oldest first: whoever reads it verifies it against the keyring. */
export const evidenceAnswer = z.strictObject({ evidence: z.array(evidenceRow) });

export type EvidenceRow = z.infer<typeof evidenceRow>;
