import { z } from 'zod';
import { bytes32, whole } from '../fields.ts';

/** What a control plane signs of its log of the organisation, and the proof that it continues what the party holds. */
export const logCheckpoint = z.strictObject({
  key: bytes32,
  size: whole(1, Number.MAX_SAFE_INTEGER),
  root: bytes32,
  signature: z.base64().length(88),
  oldSize: whole(0, Number.MAX_SAFE_INTEGER),
  proof: z.array(bytes32).max(63),
});
