import { closeSync, fdatasyncSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { perSecond, type Repeated } from './measure.ts';
import type { Goal, Row } from './row.ts';

const RECORD = Buffer.alloc(512, 7);

/** Goals of durable figures hold on a disk that syncs this often a second; on a slower one they shrink in proportion. */
export const REFERENCE_FDATASYNC_PER_S = 2000;

/** Appends of 512 bytes, each followed by fdatasync, a second, in a temporary folder below `parent`. */
export async function diskFdatasyncPerS(parent = tmpdir()): Promise<Repeated> {
  const folder = mkdtempSync(join(parent, 'ringfence-disk-'));
  const file = openSync(join(folder, 'journal'), 'a');
  try {
    return await perSecond(() => {
      writeSync(file, RECORD);
      fdatasyncSync(file);
    });
  } finally {
    closeSync(file);
    rmSync(folder, { recursive: true });
  }
}

/** The disk's rate as a row, to be printed beside every durable figure of the same run. */
export function diskRow({ median, spreadPercent }: Repeated): Row {
  const params = { bytes: RECORD.length, spread_percent: spreadPercent };
  return { name: 'disk_fdatasync_per_s', params, value: median, unit: '1/s', goal: null, peer: null };
}

/** Scales a durable figure's goal to this disk: rates shrink and times grow where it is below the reference. */
export function durableGoal(goal: Goal, fdatasyncPerS: number): Goal {
  const share = Math.min(1, fdatasyncPerS / REFERENCE_FDATASYNC_PER_S);
  return 'atLeast' in goal ? { atLeast: goal.atLeast * share } : { atMost: goal.atMost / share };
}
