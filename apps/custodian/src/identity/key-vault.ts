import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Secret, type Rng } from '@ringfence/base';
import { makeFolder, writeFileAtomic } from '@ringfence/base/platform';
import {
  openAtRest,
  openWithPassphrase,
  type Passphrase,
  RecordKey,
  sealAtRest,
  sealWithPassphrase,
} from '@ringfence/crypto/record';
import { CustodianError } from '../custodian-error.ts';
import { makeKeyBytes, readKeyBytes, type CustodianKeys } from './custodian-keys.ts';

/** What seals the keys at rest. */
export type SealKind = 'key-file' | 'passphrase';

/** Where the keys lie and what opens them. */
export interface VaultOptions {
  readonly state: string;
  readonly sealKeyFile: string;
  /** Asked only when the keys are, or are to be, under a passphrase. */
  readonly passphrase: (() => Promise<Passphrase>) | undefined;
  readonly rng: Rng;
}

/** Opened keys, and what seals them. */
export interface OpenVault {
  readonly keys: CustodianKeys;
  /** The bytes that rest sealed, for a backup. */
  readonly bytes: Secret;
  readonly seal: SealKind;
}

const PLACE = { file: 'custodian-keys' } as const;

/** Opens the keys of the state folder, or makes them the first time. Throws CustodianError `bad-keys`. */
export async function openKeyVault(options: VaultOptions): Promise<OpenVault> {
  const sealed = join(options.state, 'keys.sealed');
  const locked = join(options.state, 'keys.passphrase');
  if (existsSync(locked)) return openLocked(locked, options);
  if (existsSync(sealed)) return openSealed(sealed, options);
  return storeKeys(makeKeyBytes(options.rng), options);
}

/** Seals `bytes` into the state folder; for a first start and for a restore. */
export async function storeKeys(bytes: Secret, options: VaultOptions): Promise<OpenVault> {
  const keys = readKeyBytes(bytes);
  if (options.passphrase === undefined) {
    const key = sealKey(options);
    writeFileAtomic(join(options.state, 'keys.sealed'), sealAtRest(key, PLACE, bytes.expose(), options.rng));
    return { keys, bytes, seal: 'key-file' };
  }
  const lock = { passphrase: await options.passphrase(), purpose: 'custodian-keys' } as const;
  writeFileAtomic(join(options.state, 'keys.passphrase'), await sealWithPassphrase(lock, bytes, options.rng));
  return { keys, bytes, seal: 'passphrase' };
}

async function openLocked(file: string, options: VaultOptions): Promise<OpenVault> {
  if (options.passphrase === undefined)
    throw new CustodianError('bad-keys', 'the custodian keys are under a passphrase', {
      next: 'name a file that holds it: --passphrase-file FILE',
    });
  const lock = { passphrase: await options.passphrase(), purpose: 'custodian-keys' } as const;
  try {
    const bytes = await openWithPassphrase(lock, readFileSync(file));
    return { keys: readKeyBytes(bytes), bytes, seal: 'passphrase' };
  } catch (cause) {
    throw doesNotOpen('the passphrase is not the one that they were sealed with', cause);
  }
}

function openSealed(file: string, options: VaultOptions): OpenVault {
  if (!existsSync(options.sealKeyFile)) throw doesNotOpen(`${options.sealKeyFile} is missing`);
  try {
    const key = RecordKey.fromBytes(Uint8Array.from(readFileSync(options.sealKeyFile)));
    const bytes = new Secret(openAtRest(key, PLACE, readFileSync(file)));
    return { keys: readKeyBytes(bytes), bytes, seal: 'key-file' };
  } catch (cause) {
    throw doesNotOpen(`${options.sealKeyFile} is not the key that they were sealed with`, cause);
  }
}

function sealKey({ sealKeyFile, rng }: VaultOptions): RecordKey {
  if (existsSync(sealKeyFile)) return RecordKey.fromBytes(Uint8Array.from(readFileSync(sealKeyFile)));
  const key = RecordKey.generate(rng);
  makeFolder(dirname(sealKeyFile));
  writeFileAtomic(sealKeyFile, key.secret.expose());
  return key;
}

function doesNotOpen(why: string, cause?: unknown): CustodianError {
  return new CustodianError('bad-keys', `the custodian keys do not open: ${why}`, {
    cause,
    next: 'bring back the file or passphrase, or restore a backup into a new folder',
  });
}
