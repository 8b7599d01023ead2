import { argon2, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';
import type { Brand, Clock, Rng } from '@ringfence/base';
import { Passphrase } from '@ringfence/crypto/record';
import { WaitingLine } from '../waiting-line.ts';

/** A password's argon2id hash in PHC's form. */
export type PasswordHash = Brand<string, 'PasswordHash'>;

/** OWASP's second choice: 19 MiB, two passes, one lane. */
const COST = { memory: 19_456, passes: 2, parallelism: 1, tagLength: 32 } as const;
const SALT_BYTES = 16;
const PHC = /^\$argon2id\$v=19\$m=19456,t=2,p=1\$([A-Za-z0-9+/]{22})\$([A-Za-z0-9+/]{43})$/;
/** Two of the four threads that node:crypto has: a flood of wrong passwords leaves the others to those who are in. */
const AT_ONCE = 2;
const LONGEST_WAIT_MS = 5_000;
const MOST_WAITING = 128;

const hash = promisify(argon2);

/** Hashes and compares passwords, two at a time; whoever would wait too long is sent away at once. */
export class PasswordHasher {
  readonly #line: WaitingLine;
  readonly #rng: Rng;
  /** Nobody's: what a name without a password is compared with, at the same cost. */
  readonly #nobody: { readonly salt: Buffer; readonly tag: Buffer };

  constructor(clock: Clock, rng: Rng, mostWaiting = MOST_WAITING) {
    const each = { atOnce: AT_ONCE, mostWaiting };
    this.#line = new WaitingLine(clock, { atOnce: AT_ONCE, longestWaitMs: LONGEST_WAIT_MS, each });
    this.#rng = rng;
    this.#nobody = { salt: Buffer.from(rng.bytes(SALT_BYTES)), tag: Buffer.from(rng.bytes(COST.tagLength)) };
  }

  /** The hash of a new password; throws ControlPlaneError `unavailable` when too many are waiting. */
  async hash(password: string): Promise<PasswordHash> {
    const salt = Buffer.from(this.#rng.bytes(SALT_BYTES));
    const tag = await this.#stretch(password, salt);
    return `$argon2id$v=19$m=19456,t=2,p=1$${unpadded(salt)}$${unpadded(tag)}` as PasswordHash;
  }

  /** Whether `password` is the one; as much work where there is none. Throws as {@link hash}. */
  async verify(known: string | undefined, password: string): Promise<boolean> {
    const parsed = known === undefined ? undefined : parse(known);
    const { salt, tag } = parsed ?? this.#nobody;
    const same = timingSafeEqual(await this.#stretch(password, salt), tag);
    return same && parsed !== undefined;
  }

  #stretch(password: string, nonce: Buffer): Promise<Buffer> {
    return this.#line.run(async () => {
      using message = new Passphrase(password).secret;
      return hash('argon2id', { message: message.expose(), nonce, ...COST });
    });
  }
}

function parse(text: string): { salt: Buffer; tag: Buffer } | undefined {
  const [, salt, tag] = PHC.exec(text) ?? [];
  if (salt === undefined || tag === undefined) return undefined;
  return { salt: Buffer.from(salt, 'base64'), tag: Buffer.from(tag, 'base64') };
}

function unpadded(bytes: Buffer): string {
  return bytes.toString('base64').replaceAll('=', '');
}
