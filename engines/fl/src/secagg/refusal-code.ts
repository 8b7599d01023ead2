/** Why a client or the aggregator of a round refused, stopped, or left another out (docs/protocol/secure-aggregation.md, "What is refused"). */
export const SECAGG_REFUSALS = [
  'asked-twice',
  'answered-twice',
  'bad-dealer',
  'bad-unmask-share',
  'both-lists',
  'forged-signature',
  'inconsistent-model',
  'left-behind',
  'malformed-frame',
  'not-on-roster',
  'not-the-next-step',
  'other-key',
  'other-vector',
  'oversized-vector',
  'replayed-round',
  'split-view',
  'stale-state',
  'stopped',
  'sybil-roster',
  'too-few-organisations',
  'too-few-signatures',
  'too-few-survivors',
  'too-many-attempts',
  'unsafe-degree',
] as const;

/** One of {@link SECAGG_REFUSALS}. */
export type SecAggRefusal = (typeof SECAGG_REFUSALS)[number];
