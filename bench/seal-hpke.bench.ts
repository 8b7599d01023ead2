import { newId, systemRng } from '@ringfence/base';
import { openSealed, SealPrivateKey } from '@ringfence/crypto/open';
import { sealTo } from '@ringfence/crypto/seal';
import { loadNow, overRepeats } from './measure.ts';
import type { Row } from './row.ts';

export const description = 'messages sealed to a public key and opened, HPKE with X25519 and ML-KEM-768, on one core';

const MESSAGE = 1_024;
const REPEATS = 5;
const CALLS = 1_000;

/** Rows `seals_per_s` (to one recipient, and each to another) and `opens_per_s`, per second of processor time. */
export async function* run(): AsyncGenerator<Row> {
  const org = newId('org', systemRng);
  const context = {
    info: { purpose: 'grant', org, job: newId('job', systemRng), attempt: 1 },
    aad: systemRng.bytes(32),
  } as const;
  const plaintext = systemRng.bytes(MESSAGE);
  const key = SealPrivateKey.generate(systemRng);
  const others = Array.from({ length: CALLS }, () => SealPrivateKey.generate(systemRng).publicKey);
  const sealed = await sealTo(key.publicKey, context, plaintext);
  const same = { message_bytes: MESSAGE, recipients: 'one' };
  yield await row('seals_per_s', same, () => sealTo(key.publicKey, context, plaintext));
  yield await row('seals_per_s', { ...same, recipients: 'another each time' }, (at) =>
    sealTo(others[at] ?? key.publicKey, context, plaintext),
  );
  yield await row('opens_per_s', same, () => openSealed(key, context, sealed));
}

async function row(name: string, params: Row['params'], operation: (at: number) => Promise<unknown>): Promise<Row> {
  const rates: number[] = [];
  for (let repeat = 0; repeat <= REPEATS; repeat += 1) {
    const before = process.cpuUsage();
    for (let at = 0; at < CALLS; at += 1) await operation(at);
    const { user, system } = process.cpuUsage(before);
    // The first one warms up.
    if (repeat > 0) rates.push(CALLS / ((user + system) / 1e6));
  }
  const { median, spreadPercent } = overRepeats(rates);
  return {
    name,
    params: { ...params, spread_percent: spreadPercent, load: loadNow() },
    value: median,
    unit: '/s',
    goal: { atLeast: 3_000 },
    peer: null,
  };
}
