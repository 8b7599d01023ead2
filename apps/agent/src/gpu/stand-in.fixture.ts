import { spawnSync } from 'node:child_process';
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';

/** A stand-in for nvidia-smi, not the real program: no card is behind it. */
export interface StandIn {
  readonly program: string;
  /** Stands in for /dev: nodes of the machine's null device under the names of a driver's. */
  readonly devices: string;
  /** From now on a process computes on these. */
  readonly use: (...uuids: string[]) => void;
  /** From now on the driver does not answer. */
  readonly fail: () => void;
}

/** UUID of the stand-in's card `index`. */
export function uuidOf(index: number): string {
  return `GPU-11111111-aaaa-bbbb-cccc-${String(index).padStart(12, '0')}`;
}

/** Puts the stand-in into a folder of its own; `devices` is empty where nodes cannot be made. */
export function standIn(t: TestContext): StandIn {
  const folder = mkdtempSync(join(tmpdir(), 'ringfence-nvidia-smi-stand-in-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  chmodSync(folder, 0o711);
  const program = join(folder, 'nvidia-smi');
  copyFileSync(join(import.meta.dirname, 'nvidia-smi.stand-in.sh'), program);
  chmodSync(program, 0o755);
  const devices = join(folder, 'dev');
  mkdirSync(devices);
  chmodSync(devices, 0o755);
  for (const name of ['nvidia0', 'nvidia1', 'nvidia2', 'nvidiactl', 'nvidia-uvm'])
    spawnSync('mknod', ['-m', '666', join(devices, name), 'c', '1', '3']);
  return {
    program,
    devices,
    use: (...uuids) => writeFileSync(join(folder, 'busy'), uuids.map((uuid) => `${uuid}\n`).join('')),
    fail: () => writeFileSync(join(folder, 'broken'), ''),
  };
}
