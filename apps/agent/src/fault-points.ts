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
  'commit-after-upload',
  'commit-before-request',
  'commit-after-answer',
  'stopped-before-journal',
  'stopped-after-journal',
  'stopped-after-told',
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
