/** Steps at which tests kill the control plane. */
export const FAULT_POINTS = [
  'submit-before-commit',
  'submit-after-commit',
  'place-before-commit',
  'place-after-commit',
  'lease-before-send',
  'message-before-commit',
  'message-after-commit',
  'committed-before-commit',
  'committed-after-commit',
  'wanted-before-commit',
  'wanted-after-commit',
  'fence-before-commit',
  'fence-after-commit',
  'audit-before-append',
  'audit-before-commit',
  'audit-after-commit',
  'audit-before-sign',
] as const;

/** One of {@link FAULT_POINTS}. */
export type FaultPoint = (typeof FAULT_POINTS)[number];
/** Called at each passing of a step. */
export type Fault = (point: FaultPoint) => void;

/** Does nothing. */
export const noFault: Fault = () => {};
