// Disks of our own below state and work folders: a tmpfs is full once its size is what it holds.
import { execFileSync } from 'node:child_process';
import { mkdirSync, statfsSync } from 'node:fs';

/** More than a job asks for; memory is used only for what is written. */
const SIZE = 40 * 2 ** 30;

/** Mounts an empty disk at `folder`. */
export function mountDisk(folder: string, mode: string): void {
  mkdirSync(folder, { recursive: true });
  mount('-t', 'tmpfs', '-o', `size=${SIZE},mode=${mode}`, 'chaos', folder);
}

/** Fills the disk; returns how to free it again. */
export function fillDisk(folder: string): () => void {
  const { blocks, bfree, bsize } = statfsSync(folder);
  // Something may be written between the look and the mount, which then refuses to be smaller than what it holds.
  for (let spare = 0; ; spare += 1) {
    try {
      mount('-o', `remount,size=${(blocks - bfree + spare * 64) * bsize}`, folder);
      break;
    } catch (error) {
      if (spare === 20) throw error;
    }
  }
  return () => mount('-o', `remount,size=${SIZE}`, folder);
}

/** Takes the disk away. */
export function unmountDisk(folder: string): void {
  execFileSync('umount', ['--lazy', folder], { stdio: ['ignore', 'ignore', 'pipe'] });
}

function mount(...args: string[]): void {
  execFileSync('mount', args, { stdio: ['ignore', 'ignore', 'pipe'] });
}
