// One house for the test files that one process runs: starting it takes longer than most of them.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import { startHouse, type House } from '../../scripts/house/index.ts';

const root = mkdtempSync(join(tmpdir(), 'ringfence-shared-house-'));
let opened: Promise<House> | undefined;
let wished: Readonly<Record<string, string>> = {};

after(async () => {
  await (await opened)?.stop();
  rmSync(root, { recursive: true, force: true });
});

/**
 * The house of this process, with one agent; for use in `before`. `env` is added to that agent's environment. Who stops a process of it
 * starts it again, and no job is left running.
 */
export async function sharedHouse(env: Readonly<Record<string, string>> = {}): Promise<House> {
  const first = opened === undefined;
  wished = { ...wished, ...env };
  opened ??= startHouse({ root: join(root, 'house'), agents: 1, env: { 'agent-1': wished } });
  const house = await opened;
  if (first || Object.keys(env).length === 0) return house;
  await house.process('agent-1').stop();
  await house.restart('agent-1', wished);
  return house;
}
