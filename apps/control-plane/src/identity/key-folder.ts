import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  epochMs,
  fromBase64Url,
  newId,
  Secret,
  toBase64Url,
  type Clock,
  type ControlPlaneId,
  type Json,
  type Rng,
} from '@ringfence/base';
import { makeFolder, writeFileAtomic } from '@ringfence/base/platform';
import { RecordKey } from '@ringfence/crypto/record';
import { signEnvelope, SigningKey, type Envelope } from '@ringfence/crypto/sign';
import { idOf } from '@ringfence/protocol';
import type { ControlPlaneKeys } from '@ringfence/protocol/statements';
import { z } from 'zod';
import { ControlPlaneError } from '../control-plane-error.ts';

/** The keys of one control plane; all replicas hold the same ones. */
export interface ControlPlaneIdentity {
  readonly id: ControlPlaneId;
  readonly root: SigningKey;
  readonly frames: SigningKey;
  readonly leases: SigningKey;
  /** Seals this control plane's own rows. */
  readonly records: RecordKey;
  /** The root's statement of which online keys speak for it. */
  readonly keys: Envelope;
}

const stored = z.strictObject({
  v: z.literal(1),
  id: idOf('controlPlane'),
  root: z.string(),
  frames: z.string(),
  leases: z.string(),
  records: z.string(),
});
const VALID_FOR_MS = 90 * 86_400_000;
const DATED_BACK_MS = 86_400_000;

/** Reads the keys in `folder`, or makes them (0600) when it has none. Throws ControlPlaneError `bad-keys`. */
export function openKeyFolder(folder: string, time: { clock: Clock; rng: Rng }): ControlPlaneIdentity {
  makeFolder(folder);
  const file = join(folder, 'control-plane-keys.json');
  if (!existsSync(file)) writeFileAtomic(file, `${JSON.stringify(makeKeys(time.rng))}\n`);
  const own = readKeys(file);
  return { ...own, keys: signKeys(own, time.clock) };
}

function makeKeys(rng: Rng): z.infer<typeof stored> {
  const seed = (): string => toBase64Url(rng.bytes(32));
  return { v: 1, id: newId('controlPlane', rng), root: seed(), frames: seed(), leases: seed(), records: seed() };
}

function readKeys(file: string): Omit<ControlPlaneIdentity, 'keys'> {
  try {
    const { id, ...seeds } = stored.parse(JSON.parse(readFileSync(file, 'utf8')));
    const key = (seed: string): SigningKey => SigningKey.fromSeed(new Secret(fromBase64Url(seed)));
    return {
      id,
      root: key(seeds.root),
      frames: key(seeds.frames),
      leases: key(seeds.leases),
      records: RecordKey.fromBytes(fromBase64Url(seeds.records)),
    };
  } catch (cause) {
    throw new ControlPlaneError('bad-keys', `${file} cannot be read`, {
      cause,
      next: 'restore the file from a backup; agents have pinned its root',
    });
  }
}

/**
 * Signed afresh at every start, so that its end is always months away; dated back, so that a start while the clock is ahead does not lock out
 * everybody whose clock is right.
 */
function signKeys({ id, root, frames, leases }: Omit<ControlPlaneIdentity, 'keys'>, clock: Clock): Envelope {
  const now = clock.now();
  const body: ControlPlaneKeys = {
    v: 1,
    controlPlane: id,
    root: root.publicKey,
    frames: frames.publicKey,
    leases: leases.publicKey,
    at: epochMs(now - DATED_BACK_MS),
    notAfter: epochMs(now + VALID_FOR_MS),
  };
  return signEnvelope('application/vnd.ringfence.control-plane-keys.v1+json', body satisfies Json, [root]);
}
