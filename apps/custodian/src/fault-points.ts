import type { FaultHook } from '@ringfence/base';

/** Steps at which tests kill the custodian. */
export const FAULT_POINTS = [
  'claim-before-store',
  'claim-after-store',
  'claim-after-register',
  'join-before-commit',
  'join-after-commit',
  'object-before-rename',
  'object-after-rename',
  'deposit-before-commit',
  'deposit-after-commit',
  'grant-before-commit',
  'grant-after-commit',
  'stopped-before-commit',
  'stopped-after-commit',
  'commit-before-commit',
  'commit-after-commit',
  'endpoint-before-commit',
  'endpoint-after-commit',
  'replica-before-commit',
  'replica-after-commit',
  'scale-before-commit',
  'scale-after-commit',
  'shred-before-commit',
  'shred-after-commit',
  'outbox-before-journal',
  'outbox-after-journal',
] as const;

/** One of {@link FAULT_POINTS}. */
export type FaultPoint = (typeof FAULT_POINTS)[number];
/** Called at each passing of a step. */
export type Fault = FaultHook<FaultPoint>;
