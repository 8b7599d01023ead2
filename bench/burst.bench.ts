import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startHouse, type House, type StartedProcess } from '../scripts/house/index.ts';
import { openMarket, rentMachine, said } from '../scripts/house/rented-machine.ts';
import { openSession, quietContext } from '../tests/kill/armed-house.ts';
import { burstRound, type RoundTimes } from './burst/round.ts';
import { diskFdatasyncPerS, diskRow } from './disk.ts';
import { overRepeats, percentile } from './measure.ts';
import { unpackRelease } from './release.ts';
import type { Row } from './row.ts';

export const description = 'a full home: until the first job runs on a rented machine, and until all is back';

const ROUNDS = 5;
const LOOKS = { high: 1, low: 3 };

/** `to_running_p50_s` and `return_s` (median) with their spreads, over rounds after one that warms the rented machine up. */
export async function* run(): AsyncGenerator<Row> {
  const root = mkdtempSync(join(tmpdir(), 'ringfence-burst-'));
  const disk = await diskFdatasyncPerS();
  const entries = { kind: 'bundle', folder: unpackRelease(root) } as const;
  const house = await startHouse({ root: join(root, 'house'), agents: 1, entries });
  let rented: StartedProcess | undefined;
  try {
    const market = await openMarket(house, join(root, 'market'), entries);
    const machine = await rentMachine(market, 'rented', { RINGFENCE_PRICE: '1EUR' });
    rented = await machine.start();
    await setPool(house);
    const times = await rounds(house, root);
    const params = { rounds: ROUNDS, high_looks: LOOKS.high, low_looks: LOOKS.low };
    const toRunning = times.map((each) => each.toRunning);
    const value = percentile(toRunning, 0.5);
    yield { name: 'to_running_p50_s', params, value, unit: 's', goal: { atMost: 5 }, peer: null };
    yield spread('to_running_spread_percent', params, toRunning);
    const back = times.map((each) => each.back);
    yield { name: 'return_s', params, value: percentile(back, 0.5), unit: 's', goal: null, peer: null };
    yield spread('return_spread_percent', params, back);
    yield diskRow(disk);
  } finally {
    await rented?.stop();
    await house.stop();
    rmSync(root, { recursive: true, force: true });
  }
}

async function setPool(house: House): Promise<void> {
  const waits = ['--high', '1s', '--high-looks', `${LOOKS.high}`, '--low', '500ms', '--low-looks', `${LOOKS.low}`];
  const soon = ['--cooldown', '0s', '--min-lifetime', '0s', '--overhead', '1m', '--most-at-once', '1'];
  await said(house, ['pool', 'set', '--budget', '1000 EUR', '--period', 'day', ...waits, ...soon]);
}

async function rounds(house: House, root: string): Promise<RoundTimes[]> {
  const context = quietContext(house);
  const { session, close } = await openSession(context);
  try {
    const times: RoundTimes[] = [];
    for (let round = 0; round <= ROUNDS; round += 1)
      times.push(await burstRound({ house, root, context, session }, round));
    return times.slice(1);
  } finally {
    await close();
  }
}

function spread(name: string, params: Row['params'], values: readonly number[]): Row {
  return { name, params, value: overRepeats(values).spreadPercent, unit: '%', goal: null, peer: null };
}
