import { existsSync, readFileSync } from 'node:fs';
import type { Rng } from '@ringfence/base';
import { writeFileAtomic } from '@ringfence/base/platform';
import { openWithPassphrase, Passphrase, sealWithPassphrase } from '@ringfence/crypto/record';
import { fingerprintWords, parseSigningPublicKey, SigningKey, type SigningPublicKey } from '@ringfence/crypto/sign';
import { CliError } from '../cli-error.ts';
import { text, type CommandContext, type Flags } from '../command.ts';
import { checkPassphrase } from '../home/root-key.ts';
import { secretInput } from '../secret-input.ts';

/** Whose key lies in a file; one never opens as another. */
export type KeyRole = 'admitter-key' | 'authority-key' | 'issuer-key';

/** Flags of commands that make or use such a key. */
export const KEY_FLAGS = { 'key-file': { type: 'string' }, 'passphrase-file': { type: 'string' } } as const;

/** Makes a key in the file of `--key-file`, sealed to a passphrase. Throws CliError `usage`, `bad-file`. */
export async function makeKeyFile(context: CommandContext, flags: Flags, purpose: KeyRole): Promise<SigningKey> {
  const path = pathOf(flags);
  if (existsSync(path))
    throw new CliError('bad-file', `${path} exists already`, { next: 'name a file that is not there yet' });
  const passphrase = await secretInput(context, flags, { flag: 'passphrase', prompt: 'passphrase of the new key' });
  checkPassphrase(passphrase);
  const key = typeableKey(context.rng);
  const lock = { passphrase: new Passphrase(passphrase), purpose };
  writeFileAtomic(path, await sealWithPassphrase(lock, key.seed(), context.rng));
  return key;
}

/** A command line takes what begins with a dash for a flag: such a public key is not made. */
function typeableKey(rng: Rng): SigningKey {
  for (;;) {
    const key = SigningKey.generate(rng);
    if (!key.publicKey.startsWith('-')) return key;
  }
}

/** The key in the file of `--key-file`. Throws CliError `usage`, `bad-file`; CryptoError for a wrong passphrase or another role's key. */
export async function openKeyFile(context: CommandContext, flags: Flags, purpose: KeyRole): Promise<SigningKey> {
  const path = pathOf(flags);
  const passphrase = await secretInput(context, flags, { flag: 'passphrase', prompt: 'passphrase of the key' });
  return SigningKey.fromSeed(
    await openWithPassphrase({ passphrase: new Passphrase(passphrase), purpose }, readSealed(path)),
  );
}

/** The public key in `word`; throws CliError `usage`. */
export function publicKeyOf(word: string): SigningPublicKey {
  const key = parseSigningPublicKey(word);
  if (key !== undefined) return key;
  throw new CliError('usage', 'this is no public key', { next: 'take the 43 characters that `init` printed' });
}

/** Says a new key: to be pinned or named, and its six words to compare. */
export function showKey(
  { terminal }: CommandContext,
  key: SigningPublicKey,
  more: Readonly<Record<string, string>> = {},
) {
  const fingerprint = fingerprintWords(key);
  terminal.value({ ...more, key, fingerprint });
  for (const [name, value] of Object.entries(more)) terminal.line(`${name}: ${value}`);
  terminal.line(`key: ${key}`);
  terminal.line(`fingerprint: ${fingerprint}`);
}

function pathOf(flags: Flags): string {
  const path = text(flags, 'key-file');
  if (path !== undefined) return path;
  throw new CliError('usage', '--key-file is missing', { next: 'name the file in which the sealed key lies' });
}

function readSealed(path: string): Uint8Array {
  try {
    return readFileSync(path);
  } catch (cause) {
    throw new CliError('bad-file', `${path} cannot be read`, { cause, next: 'name the sealed key file' });
  }
}
