import { createCipheriv, createSecretKey, randomBytes } from 'node:crypto';
import { newId, systemRng } from '@ringfence/base';
import { DataKey, sealObjectBytes } from '@ringfence/crypto/seal';
import { rewrapSeconds } from './envelope/rewrap.ts';
import { loadNow, overRepeats, type Repeated } from './measure.ts';
import type { Goal, Row } from './row.ts';
import { opensslPerSecond } from './seal/openssl-speed.ts';

export const description =
  'encryption of 256 KiB segments in memory beside openssl, and a rotation over a million data keys';

const SEGMENT = 256 * 1024;
const DATA_KEYS = 1_000_000;
const ROUNDS = 5;
const CALLS = 1_000;
const GB = 1e9;

/**
 * `memory_ratio_to_openssl` (openssl is measured before and after each round; both count processor time of one core), and `rewrap_1m_s`, seconds of
 * the clock from the order to the end of a rotation of the custodian's own code on an embedded PostgreSQL.
 */
export async function* run(): AsyncGenerator<Row> {
  yield* inMemory();
  const seconds = await rewrapSeconds(DATA_KEYS);
  yield {
    ...row('rewrap_1m_s', 's', { median: seconds, spreadPercent: 0 }, { atMost: 60 }),
    params: { data_keys: DATA_KEYS, load: loadNow() },
  };
}

function* inMemory(): Generator<Row> {
  const plaintext = randomBytes(SEGMENT);
  const key = createSecretKey(randomBytes(32));
  const options = {
    dataKey: DataKey.generate(systemRng),
    identity: {
      org: newId('org', systemRng),
      project: newId('project', systemRng),
      object: newId('artifact', systemRng),
      version: 1,
    },
    rng: systemRng,
  };
  const [segments, objects, openssl, ratios]: number[][] = [[], [], [], []];
  for (let round = 0; round <= ROUNDS; round += 1) {
    const before = opensslPerSecond(SEGMENT);
    const segment = perCoreSecond(() => sealSegment(key, plaintext));
    const object = perCoreSecond(() => void sealObjectBytes(options, plaintext));
    const after = opensslPerSecond(SEGMENT);
    // The first round warms up.
    if (round === 0 || before === undefined || after === undefined) continue;
    segments?.push(segment);
    objects?.push(object);
    openssl?.push((before + after) / 2);
    ratios?.push((2 * segment) / (before + after));
  }
  if (ratios === undefined || ratios.length === 0) return;
  yield row('memory_ratio_to_openssl', '', overRepeats(ratios), { atLeast: 0.85 });
  yield row('segment_gb_per_core_s', 'GB/s', overRepeats(segments ?? []), null);
  yield row('openssl_gb_per_core_s', 'GB/s', overRepeats(openssl ?? []), null);
  yield row('sealed_object_gb_per_core_s', 'GB/s', overRepeats(objects ?? []), null);
}

/** As `sealObject` does with each segment; the object's SHA-256 is not in it. */
function sealSegment(key: Parameters<typeof createCipheriv>[1], plaintext: Buffer): void {
  const cipher = createCipheriv('aes-256-gcm', key, Buffer.alloc(12)).setAAD(AAD);
  cipher.update(plaintext);
  cipher.final();
  cipher.getAuthTag();
}

const AAD = randomBytes(72);

/** Gigabytes of segments per second of processor time, as `openssl speed` counts. */
function perCoreSecond(operation: () => void): number {
  const before = process.cpuUsage();
  for (let count = 0; count < CALLS; count += 1) operation();
  const { user, system } = process.cpuUsage(before);
  return (CALLS * SEGMENT) / GB / ((user + system) / 1e6);
}

function row(name: string, unit: string, { median, spreadPercent }: Repeated, goal: Goal | null): Row {
  const params = { segment_bytes: SEGMENT, spread_percent: spreadPercent, load: loadNow() };
  return { name, params, value: median, unit, goal, peer: null };
}
