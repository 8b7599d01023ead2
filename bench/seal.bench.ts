import { createCipheriv, hash, randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { newId, systemRng } from '@ringfence/base';
import { DataKey, sealObjectBytes } from '@ringfence/crypto/seal';
import { overRepeats } from './measure.ts';
import type { Goal, Row } from './row.ts';
import { opensslPerSecond } from './seal/openssl-speed.ts';
import { sealFile } from './seal/seal-file.ts';

export const description = 'sealing of artifacts, file to file with digest, and of segments in memory beside openssl';

const FILE_BYTES = 256 * 2 ** 20;
const SEGMENT = 256 * 1024;
const REPEATS = 5;
const CALLS = 1_000;
const GB = 1e9;

/** `gb_per_core_s`, `gb_per_s` (two files at once on two cores), `ratio_to_openssl`, and what the digest alone and Node's cipher alone reach here. */
export async function* run(): AsyncGenerator<Row> {
  const root = mkdtempSync(join(tmpdir(), 'ringfence-seal-'));
  try {
    const files = ['a', 'b'].map((name) => ({ from: join(root, name), to: join(root, `${name}.sealed`) }));
    for (const { from } of files) writeFileSync(from, randomBytes(FILE_BYTES));
    yield row('gb_per_core_s', await repeated(() => oneCore(files[0])), { atLeast: 0.9 });
    yield row('gb_per_s', await repeated(() => twoCores(files)), { atLeast: 1.5 });
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
  yield* inMemory();
}

interface Files {
  readonly from: string;
  readonly to: string;
}

/** Bytes per CPU second of this thread, system time included. */
async function oneCore(files: Files | undefined): Promise<number> {
  if (files === undefined) throw new Error('no files');
  const before = process.cpuUsage();
  const bytes = await sealFile(files);
  const { user, system } = process.cpuUsage(before);
  return bytes / GB / ((user + system) / 1e6);
}

async function twoCores(files: readonly Files[]): Promise<number> {
  const workers = files.map(
    (workerData) => new Worker(new URL('./seal/seal-file.ts', import.meta.url), { workerData }),
  );
  const answers = workers.map((worker) => nextOf(worker));
  await Promise.all(answers);
  const begun = performance.now();
  const sealed = workers.map((worker) => {
    const answer = nextOf(worker);
    worker.postMessage('go');
    return answer;
  });
  const bytes = (await Promise.all(sealed)).reduce((sum: number, value) => sum + Number(value), 0);
  const seconds = (performance.now() - begun) / 1_000;
  await Promise.all(workers.map((worker) => worker.terminate()));
  return bytes / GB / seconds;
}

function nextOf(worker: Worker): Promise<unknown> {
  return new Promise((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', reject);
  });
}

async function repeated(measure: () => Promise<number>): Promise<ReturnType<typeof overRepeats>> {
  const values: number[] = [];
  for (let count = 0; count <= REPEATS; count += 1) {
    const value = await measure();
    // The first one warms up.
    if (count > 0) values.push(value);
  }
  return overRepeats(values);
}

async function* inMemory(): AsyncGenerator<Row> {
  const plaintext = randomBytes(SEGMENT);
  const key = randomBytes(32);
  const identity = {
    org: newId('org', systemRng),
    project: newId('project', systemRng),
    object: newId('artifact', systemRng),
    version: 1,
  };
  const options = { dataKey: DataKey.generate(systemRng), identity, rng: systemRng };
  const cipher = perCoreSecond(() => sealSegment(key, plaintext));
  const object = perCoreSecond(() => void sealObjectBytes(options, plaintext));
  const digest = perCoreSecond(() => void hash('sha256', plaintext, 'buffer'));
  const openssl = opensslPerSecond(SEGMENT);
  // Without SHA instructions the digest alone is slower than the goals.
  yield row('sha256_gb_per_core_s', digest, null);
  yield row('node_cipher_gb_per_core_s', cipher, null);
  yield row('sealed_object_gb_per_core_s', object, null);
  if (openssl === undefined) return;
  yield row('openssl_gb_per_core_s', { median: openssl, spreadPercent: 0 }, null);
  yield {
    ...row(
      'ratio_to_openssl',
      { median: cipher.median / openssl, spreadPercent: cipher.spreadPercent },
      { atLeast: 0.85 },
    ),
    unit: '',
  };
}

/** Bytes of segments per CPU second, as `openssl speed` counts them: other work on the machine does not change it much. */
function perCoreSecond(operation: () => void): ReturnType<typeof overRepeats> {
  const rates = Array.from({ length: REPEATS + 1 }, () => {
    const before = process.cpuUsage();
    for (let count = 0; count < CALLS; count += 1) operation();
    const { user, system } = process.cpuUsage(before);
    return (CALLS * SEGMENT) / GB / ((user + system) / 1e6);
  });
  return overRepeats(rates.slice(1));
}

function sealSegment(key: Buffer, plaintext: Buffer): void {
  const cipher = createCipheriv('aes-256-gcm', key, Buffer.alloc(12)).setAAD(key);
  cipher.update(plaintext);
  cipher.final();
  cipher.getAuthTag();
}

function row(name: string, { median, spreadPercent }: ReturnType<typeof overRepeats>, goal: Goal | null): Row {
  return {
    name,
    params: { segment_bytes: SEGMENT, spread_percent: spreadPercent },
    value: median,
    unit: 'GB/s',
    goal,
    peer: null,
  };
}
