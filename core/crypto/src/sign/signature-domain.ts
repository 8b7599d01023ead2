/**
 * What a signature is for. A signature made under one tag never verifies under another, nor as a DSSE envelope (whose
 * signed bytes begin with `DSSEv1 `). The list is closed: a new use is a new tag.
 */
export const SIGNATURE_DOMAINS = [
  'ringfence/checkpoint/v1',
  'ringfence/enrolment/v1',
  'ringfence/frame/v1',
  'ringfence/handshake/v1',
  'ringfence/http/v1',
  'ringfence/journal/v1',
  'ringfence/relay/v1',
  'ringfence/release/v1',
  'ringfence/secagg/v1',
] as const;

/** One of {@link SIGNATURE_DOMAINS}. */
export type SignatureDomain = (typeof SIGNATURE_DOMAINS)[number];
