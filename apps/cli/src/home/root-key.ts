import { readFileSync } from 'node:fs';
import type { Rng } from '@ringfence/base';
import { openWithPassphrase, Passphrase, sealWithPassphrase } from '@ringfence/crypto/record';
import { SigningKey } from '@ringfence/crypto/sign';
import { printRecoveryKey, type RecoveryKit } from '@ringfence/keyring';
import { CliError } from '../cli-error.ts';

const SHORTEST_PASSPHRASE = 12;

/** Refuses a passphrase that is soon guessed; throws CliError `usage`. */
export function checkPassphrase(passphrase: string): void {
  if (passphrase.length < SHORTEST_PASSPHRASE)
    throw new CliError('usage', `the passphrase is shorter than ${SHORTEST_PASSPHRASE} characters`, {
      next: 'take five random words',
    });
}

/** The root key sealed to a passphrase, for a file that is moved off this machine. */
export function sealRootKey(root: SigningKey, passphrase: string, rng: Rng): Promise<Uint8Array> {
  return sealWithPassphrase({ passphrase: new Passphrase(passphrase), purpose: 'root-key' }, root.seed(), rng);
}

/** The recovery kit as a page to print: it outranks the root, so it is kept where the root is not. */
export function recoveryPage(kit: RecoveryKit, org: string): string {
  const { threshold } = kit.recovery;
  const keys = kit.keys.map(
    (key, index) => `  ${index + 1}. ${Buffer.from(printRecoveryKey(key).expose()).toString()}`,
  );
  return `Ringfence recovery kit of organisation ${org}

${keys.join('\n')}

${threshold} of ${kit.keys.length} of these keys can replace the organisation's root. Print this page, keep it
where neither the root key file nor the custodian is, and delete the file.
`;
}

/** The root key from its sealed file; throws CliError `bad-file`, CryptoError for a wrong passphrase. */
export async function openRootKey(path: string, passphrase: string): Promise<SigningKey> {
  return SigningKey.fromSeed(
    await openWithPassphrase({ passphrase: new Passphrase(passphrase), purpose: 'root-key' }, readSealed(path)),
  );
}

function readSealed(path: string): Uint8Array {
  try {
    return readFileSync(path);
  } catch (cause) {
    throw new CliError('bad-file', `${path} cannot be read`, { cause, next: 'name the sealed root key file' });
  }
}
