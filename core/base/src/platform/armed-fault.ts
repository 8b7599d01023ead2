import { readFileSync, rmSync } from 'node:fs';
import { faultAt, type FaultHook } from '../fault-point.ts';

/**
 * The hook for `RINGFENCE_FAULT`: `name` or `name:n` as {@link faultAt} reads it, or `@FILE`, a file that holds such a setting while the
 * process is to die there. The file is looked at on every passing and taken away by the process that dies, so that tests arm a running
 * process and its successor lives. Throws RangeError for a name that is not one of `points`; from a file, when a step is passed.
 */
export function armedFault<Point extends string>(
  points: readonly Point[],
  setting: string,
  die: () => void,
): FaultHook<Point> {
  if (!setting.startsWith('@')) return faultAt(points, setting, die);
  const file = setting.slice(1);
  let armed = '';
  let hook: FaultHook<Point> = () => {};
  return (point) => {
    const now = readIfThere(file);
    if (now !== armed) {
      armed = now;
      hook = now === '' ? () => {} : faultAt(points, now, () => disarmAndDie(file, die));
    }
    hook(point);
  };
}

function disarmAndDie(file: string, die: () => void): void {
  rmSync(file, { force: true });
  die();
}

function readIfThere(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
