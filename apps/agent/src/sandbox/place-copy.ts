import { renameSync, rmSync } from 'node:fs';

/** Gives a finished folder its name for all agents of the machine; where another agent was faster, its copy is as good and stays. */
export function placeCopy(draft: string, copy: string): void {
  try {
    renameSync(draft, copy);
  } catch (error) {
    const taken = error instanceof Error && 'code' in error && (error.code === 'ENOTEMPTY' || error.code === 'EEXIST');
    if (!taken) throw error;
    rmSync(draft, { recursive: true, force: true });
  }
}
