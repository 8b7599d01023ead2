/** Called at each passing of a named step; tests make a process die there. */
export type FaultHook<Point extends string> = (point: Point) => void;

/** Passes every step. */
export const noFault = (): void => {};

/**
 * A hook that calls `die` at the n-th passing of the step that `setting` (`name` or `name:n`) names. Throws RangeError for a name that is
 * not one of `points`.
 */
export function faultAt<Point extends string>(
  points: readonly Point[],
  setting: string,
  die: () => void,
): FaultHook<Point> {
  const [name = '', count = '1'] = setting.split(':');
  const wanted = points.find((point) => point === name);
  if (wanted === undefined || !/^[1-9]\d{0,6}$/.test(count)) throw new RangeError('no such fault point');
  let left = Number(count);
  return (point) => {
    if (point !== wanted) return;
    left -= 1;
    if (left === 0) die();
  };
}
