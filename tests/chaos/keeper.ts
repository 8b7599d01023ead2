// Starts what ended again, as an init system does with Restart=always, for as long as the house is kept.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { House } from '../../scripts/house/index.ts';
import { startTicks } from '../../scripts/house/started-process.ts';

const AGAIN_AFTER_MS = 200;

/** Keeps the processes of a house running. */
export interface Keeper {
  /** Whether every process runs and has said that it is ready. */
  readonly allUp: () => boolean;
  /** Ends the keeping; what runs goes on. */
  readonly end: () => void;
  /** What ended without having been killed, and what did not start at once. */
  readonly oddities: string[];
}

/** Keeps every process of `house`; `note` hears of what is odd. */
export function keep(house: House, note: (text: string) => void): Keeper {
  const down = new Set<string>();
  const oddities: string[] = [];
  let ended = false;
  const odd = (text: string): void => {
    oddities.push(text);
    note(text);
  };
  const keepOne = async (name: string): Promise<void> => {
    while (!ended) {
      const { code, signal } = await house.process(name).exited;
      if (ended) return;
      down.add(name);
      if (signal !== 'SIGKILL') odd(`${name} ended by itself (${code ?? signal})`);
      await restart(name);
      down.delete(name);
    }
  };
  const restart = async (name: string): Promise<void> => {
    while (!ended) {
      await new Promise((resolve) => setTimeout(resolve, AGAIN_AFTER_MS));
      try {
        await house.restart(name);
        return;
      } catch (error) {
        const text = String(error).split('\n').slice(0, 4).join(' | ').slice(0, 600);
        // Killed while it started: that is what a fault does.
        if (!text.includes('(SIGKILL)')) odd(text);
      }
    }
  };
  for (const name of house.processes.keys()) keepOne(name).catch((error: unknown) => odd(`keeper: ${String(error)}`));
  return { allUp: () => down.size === 0, end: () => void (ended = true), oddities };
}

/** The process that runs under this name now, also one that is not ready yet; undefined between two of them. */
export function pidOf(root: string, name: string): number | undefined {
  const file = join(root, 'logs', `${name}.pid`);
  if (!existsSync(file)) return undefined;
  try {
    const { pid, start }: { pid: number; start?: string } = JSON.parse(readFileSync(file, 'utf8'));
    return start !== undefined && startTicks(pid) === start ? pid : undefined;
  } catch {
    // Being written.
    return undefined;
  }
}
