import type { FaultHook } from '@ringfence/base';

/** Steps at which tests kill the agent, in the order of an attempt. */
export const FAULT_POINTS = [
  'join-before-request',
  'join-after-answer',
  'lease-before-journal',
  'lease-after-journal',
  'grant-before-request',
  'grant-after-answer',
  'fetch-after-objects',
  'setup-after-run',
  'start-before-journal',
  'start-after-journal',
  'run-after-exec',
  'run-after-exit',
  'commit-before-upload',
  'upload-after-part',
  'commit-after-upload',
  'commit-before-request',
  'commit-after-answer',
  'stopped-before-journal',
  'stopped-after-journal',
  'stopped-after-told',
  'deletion-before-files',
  'deletion-before-journal',
  'federation-before-step',
  'federation-after-step',
  'federation-before-burn',
  'federation-after-burn',
  'federation-after-roster',
  'federation-after-unmask-request',
  'federation-before-checkpoint',
  'federation-after-checkpoint',
] as const;

/** One of {@link FAULT_POINTS}. */
export type FaultPoint = (typeof FAULT_POINTS)[number];
/** Called at each passing of a step. */
export type Fault = FaultHook<FaultPoint>;
