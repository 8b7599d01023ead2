// What breaks when: drawn from a seed alone, so that a seed and a number replay the same faults in the same order.

/** What can break. */
export const KINDS = [
  'kill',
  'freeze',
  'database-killed',
  'database-frozen',
  'cut',
  'slow',
  'disk-full',
  'clock',
] as const;

/** One fault: `target` is a process, a role with a database, a host or a disk, as its kind says. */
export interface Fault {
  readonly number: number;
  readonly kind: (typeof KINDS)[number];
  readonly target: string;
  /** How: the direction of a cut, the offset of a clock in seconds. */
  readonly how: string;
  /** Milliseconds of quiet in its lane before it. */
  readonly after: number;
  /** Milliseconds until it is taken back. */
  readonly holds: number;
}

/** What there is to break. */
export interface Targets {
  readonly processes: readonly string[];
  readonly databases: readonly string[];
  readonly hosts: readonly string[];
  readonly disks: readonly string[];
}

/** Draws of one seed: numbers from 0 up to 1 (mulberry32, T. Ettinger 2017). */
export type Draw = () => number;

/** The generator of a seed (32 bits). */
export function drawFrom(seed: number): Draw {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Kills and freezes of processes are half of all; the others share the rest. */
const WEIGHTS: Readonly<Record<Fault['kind'], number>> = {
  kill: 6,
  freeze: 4,
  'database-killed': 2,
  'database-frozen': 2,
  cut: 3,
  slow: 1,
  'disk-full': 2,
  clock: 2,
};
const QUIET_MS = 2_500;
const SHORTEST_MS = 300;
const LONGEST_MS = 5_000;
/** In the long mode one fault of fifty stays for a minute: longer than a lease, and than every timeout of a link. */
const MINUTE_MS = 60_000;
const MINUTE_EVERY = 50;
/** In the short mode one of a hundred does: a database that is gone, each in its turn. */
const DATABASE_GONE_EVERY = 100;
const DATABASE_GONE_AT = 41;

/** Draws the fault with this number; with `long` more of them stay for a minute. */
export function drawFault(draw: Draw, targets: Targets, { number, long }: { number: number; long: boolean }): Fault {
  const kind = drawKind(draw);
  const target = pick(draw, targetsOf(kind, targets));
  const how = howOf(draw, kind);
  const after = Math.round(draw() * QUIET_MS);
  const brief = Math.round(SHORTEST_MS + draw() ** 2 * (LONGEST_MS - SHORTEST_MS));
  const holds = draw() < 1 / MINUTE_EVERY && long ? MINUTE_MS : brief;
  if (!long && number % DATABASE_GONE_EVERY === DATABASE_GONE_AT) return databaseGone(targets, number);
  return { number, kind, target, how, after, holds };
}

function databaseGone({ databases }: Targets, number: number): Fault {
  const turn = Math.floor(number / DATABASE_GONE_EVERY) % databases.length;
  return { number, kind: 'database-frozen', target: databases[turn] ?? '', how: '', after: 0, holds: MINUTE_MS };
}

function drawKind(draw: Draw): Fault['kind'] {
  return pick(
    draw,
    KINDS.flatMap((kind) => Array.from({ length: WEIGHTS[kind] }, () => kind)),
  );
}

function targetsOf(kind: Fault['kind'], targets: Targets): readonly string[] {
  if (kind === 'cut' || kind === 'slow') return targets.hosts;
  if (kind === 'disk-full') return targets.disks;
  return kind === 'database-killed' || kind === 'database-frozen' ? targets.databases : targets.processes;
}

function howOf(draw: Draw, kind: Fault['kind']): string {
  const [way, sign] = [pick(draw, ['in', 'out', 'both']), pick(draw, ['+600', '-600'])];
  if (kind === 'cut') return way;
  return kind === 'clock' ? sign : '';
}

function pick<T>(draw: Draw, from: readonly T[]): T {
  const found = from[Math.floor(draw() * from.length)];
  if (found === undefined) throw new RangeError('nothing to draw from');
  return found;
}
