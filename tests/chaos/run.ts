// `npm run chaos [-- --faults N] [--seed N]`: breaks a house at random and looks whether every promise is kept. Needs root.
import { spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { buildNetwork } from '../network/namespaces.ts';
import { runBatches } from './batches.ts';
import { startChaosHouse } from './chaos-house.ts';
import { HOST_OF, HOSTS, onHostBy, onHostOf } from './hosts.ts';
import { drawFrom } from './schedule.ts';

const FEWEST = 200;
const LARGEST_SEED = 2 ** 32 - 1;

const options = {
  faults: { type: 'string', default: String(FEWEST) },
  seed: { type: 'string' },
  long: { type: 'boolean', default: false },
  /** Set for the process on the client's host: a JSON object with the root, the hub's address and the words before commands on each host. */
  inside: { type: 'string' },
} as const;
const { values } = parseArgs({ options });
const faults = Number(values.faults);
const seed = Number(values.seed ?? process.env['RINGFENCE_CHAOS_SEED'] ?? randomInt(LARGEST_SEED));
if (!Number.isSafeInteger(faults) || faults < 1 || !Number.isSafeInteger(seed) || seed < 0 || seed > LARGEST_SEED)
  throw new RangeError('--faults takes a whole number from 1, --seed one of 32 bits');

type Inside = {
  root: string;
  host: string;
  hosts: Record<string, readonly string[]>;
};

/** Builds the hosts, and runs the rest on that of the client. */
async function outside(): Promise<number> {
  console.log(`seed ${seed}: RINGFENCE_CHAOS_SEED=${seed} replays these faults`);
  const root = mkdtempSync(join(tmpdir(), 'ringfence-chaos-'));
  const network = buildNetwork(HOSTS, []);
  const inside: Inside = {
    root,
    host: network.address('hub'),
    hosts: Object.fromEntries(HOSTS.map((host) => [host, onHostOf(network, host)])),
  };
  const args = ['--faults', String(faults), '--seed', String(seed), '--inside', JSON.stringify(inside)];
  if (values.long) args.push('--long');
  // Mounts of its own, which go with it.
  const alone = ['--mount', '--', ...onHostOf(network, 'cl')];
  const child = spawn('unshare', [...alone, process.execPath, import.meta.filename, ...args], { stdio: 'inherit' });
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.on(name, () => void child.kill('SIGTERM'));
  const code = await new Promise<number>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (status) => resolve(status ?? 1));
  });
  network.remove();
  if (code === 0) rmSync(root, { recursive: true, force: true });
  else console.log(`the logs of its processes are in ${join(root, 'house/logs')}`);
  return code;
}

async function within({ root, host, hosts }: Inside): Promise<void> {
  const began = performance.now();
  const note = (text: string): void => console.log(`${((performance.now() - began) / 1000).toFixed(1)} ${text}`);
  const prefix = Object.fromEntries(Object.entries(HOST_OF).map(([name, at]) => [name, hosts[at] ?? []]));
  const on = onHostBy((name) => hosts[name] ?? []);
  const starting = startChaosHouse({ root, host, prefix, on, note });
  const stop = async (): Promise<never> => {
    await (await starting).close();
    process.exit(1);
  };
  process.once('SIGTERM', () => void stop());
  const chaos = await starting;
  try {
    const long = values.long || faults > FEWEST;
    const tally = await runBatches(chaos, root, { faults, long, draw: drawFrom(seed) }, note);
    const kinds = Object.fromEntries([...tally.kinds].toSorted(([a], [b]) => a.localeCompare(b)));
    console.log(JSON.stringify({ ...tally, kinds, seed, oddities: chaos.keeper.oddities.length }));
  } finally {
    await chaos.close();
  }
}

if (values.inside === undefined) process.exitCode = await outside();
else await within(JSON.parse(values.inside) as Inside);
