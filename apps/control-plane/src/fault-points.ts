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
] as const;

/** One of {@link FAULT_POINTS}. */
export type FaultPoint = (typeof FAULT_POINTS)[number];
/** Called at each passing of a step. */
export type Fault = (point: FaultPoint) => void;

/** Does nothing. */
export const noFault: Fault = () => {};

/** Calls `die` at the n-th passing of the step that `setting` (`name` or `name:n`) names; throws RangeError for an unknown name. */
export function faultAt(setting: string, die: () => void): Fault {
  const [name = '', count = '1'] = setting.split(':');
  if (!FAULT_POINTS.some((point) => point === name)) throw new RangeError(`unknown fault point ${name}`);
  let left = Number(count);
  return (point) => {
    if (point !== name) return;
    left -= 1;
    if (left === 0) die();
  };
}
