// Three organisations and a fourth that sums, in processes of their own: how fast rounds follow each other.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { FederationAnswer } from '@ringfence/protocol/payload';
import { dealRows, SITES } from '../../examples/federation/split.ts';
import { agreeOn, startMembers } from '../../scripts/house/agreed-organisations.ts';
import { said } from '../../scripts/house/rented-machine.ts';

const PLAN = join(import.meta.dirname, '../../examples/federation/plan.yaml');
const LOOK_EVERY_MS = 5_000;
const WITHIN_MS = 1_800_000;
const MINUTE_MS = 60_000;

/** Rounds a minute of the breast-cancer federation over `rounds` rounds, with secure aggregation, noise and a debit before each. */
export async function roundsPerMinute(rounds: number): Promise<number> {
  const root = mkdtempSync(join(tmpdir(), 'ringfence-bench-federation-'));
  const all = await startMembers({ root, others: SITES });
  try {
    const { sites } = dealRows();
    const { contract } = await agreeOn(all, {
      plan: readFileSync(PLAN, 'utf8').replace(/count: \d+/, `count: ${rounds}`),
      rows: (_site, index) => sites[index] ?? '',
      budget: { unit: 'record', epsilon: 4, delta: 1e-5 },
    });
    for (const { house } of all.members) await said(house, ['federation', 'start', contract, '--yes']);
    const site = all.members[1]?.house ?? all.host.house;
    const begun = await leaves(() => said(site, ['federation', 'status', contract]), rounds);
    const took = Math.max(...begun) - Math.min(...begun);
    return ((begun.length - 1) * MINUTE_MS) / took;
  } finally {
    await all.stop();
    rmSync(root, { recursive: true, force: true });
  }
}

/** When each summed round got leave, once all of them are summed. */
async function leaves(look: () => Promise<FederationAnswer>, rounds: number): Promise<number[]> {
  const deadline = performance.now() + WITHIN_MS;
  for (;;) {
    const summed = (await look()).rounds.filter(({ report }) => report?.outcome === 'summed');
    if (summed.length >= rounds) return summed.map(({ at }) => at);
    if (performance.now() > deadline) throw new Error('the federation did not end in time');
    await pause(LOOK_EVERY_MS);
  }
}
