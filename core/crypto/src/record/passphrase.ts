import { argon2 } from 'node:crypto';
import { promisify } from 'node:util';
import { concatBytes, Secret, utf8, type Rng } from '@ringfence/base';
import { cannotOpen, CryptoError } from '../crypto-error.ts';
import { xaesOpen, xaesSeal } from '../xaes-256-gcm.ts';
import {
  DEFAULT_COST,
  isAffordable,
  isStrong,
  PASSPHRASE_HEADER_BYTES,
  readHeader,
  writeHeader,
  type PassphraseCost,
} from './passphrase-header.ts';

/** What is kept under a passphrase; one never opens as another. */
export type PassphrasePurpose =
  | 'root-key'
  | 'recovery-kit'
  | 'custodian-keys'
  | 'admitter-key'
  | 'authority-key'
  | 'issuer-key';

/** What a person types: its UTF-8 bytes in Unicode's NFKC form, so that every keyboard gives the same. */
export class Passphrase {
  readonly #secret: Secret;

  /** Throws CryptoError `bad-key` for an empty passphrase. */
  constructor(text: string) {
    if (text === '') throw new CryptoError('bad-key', 'the passphrase is empty', { next: 'type a passphrase' });
    this.#secret = new Secret(utf8(text.normalize('NFKC')));
  }

  /** The bytes that are hashed. */
  get secret(): Secret {
    return this.#secret;
  }

  toJSON(): string {
    return '[secret]';
  }
}

/** A passphrase and what it guards. */
export interface PassphraseLock {
  readonly passphrase: Passphrase;
  readonly purpose: PassphrasePurpose;
}

/**
 * `secret` sealed under a passphrase: header with Argon2id's cost and salt, then XAES-256-GCM. The cost is RFC 9106's
 * second recommendation (64 MiB, 3 passes, 4 lanes) unless told, and at least 19 MiB and 2 passes: throws CryptoError
 * `bad-key` below.
 */
export async function sealWithPassphrase(
  lock: PassphraseLock,
  secret: Secret,
  rng: Rng,
  cost: PassphraseCost = DEFAULT_COST,
): Promise<Uint8Array> {
  if (!isStrong(cost)) throw new CryptoError('bad-key', 'this cost would make the passphrase easy to guess');
  return sealAtAnyCost(lock, secret, rng, cost);
}

/** {@link sealWithPassphrase} without its floor; not exported from the package. */
export async function sealAtAnyCost(
  lock: PassphraseLock,
  secret: Secret,
  rng: Rng,
  cost: PassphraseCost,
): Promise<Uint8Array> {
  const header = writeHeader({ cost, salt: rng.bytes(16) });
  const key = await stretched(lock.passphrase, header);
  try {
    return concatBytes(header, xaesSeal(key, rng, boundTo(lock.purpose, header), secret.expose()));
  } finally {
    key[Symbol.dispose]();
  }
}

/** Opens what {@link sealWithPassphrase} made; throws CryptoError `cannot-open`, also for a cost that no release writes. */
export async function openWithPassphrase(lock: PassphraseLock, sealed: Uint8Array): Promise<Secret> {
  const header = sealed.slice(0, PASSPHRASE_HEADER_BYTES);
  const key = await stretched(lock.passphrase, header);
  try {
    return new Secret(xaesOpen(key, boundTo(lock.purpose, header), sealed.subarray(PASSPHRASE_HEADER_BYTES)));
  } finally {
    key[Symbol.dispose]();
  }
}

const argon2Async = promisify(argon2);

async function stretched(passphrase: Passphrase, header: Uint8Array): Promise<Secret> {
  const { cost, salt } = readHeader(header);
  if (!isAffordable(cost)) throw cannotOpen();
  const key = await argon2Async('argon2id', {
    message: passphrase.secret.expose(),
    nonce: salt,
    memory: cost.memoryKiB,
    passes: cost.passes,
    parallelism: cost.lanes,
    tagLength: 32,
  });
  return new Secret(key);
}

function boundTo(purpose: PassphrasePurpose, header: Uint8Array): Uint8Array {
  return concatBytes(utf8(`ringfence/passphrase/v1\0${purpose}\0`), header);
}
