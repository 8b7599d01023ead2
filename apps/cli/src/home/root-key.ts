import { existsSync } from 'node:fs';
import type { Rng } from '@ringfence/base';
import { writeFileAtomic } from '@ringfence/base/platform';
import { Passphrase, sealWithPassphrase } from '@ringfence/crypto/record';
import type { SigningKey } from '@ringfence/crypto/sign';
import { printRecoveryKey, type RecoveryKit } from '@ringfence/keyring';
import { CliError } from '../cli-error.ts';

const SHORTEST_PASSPHRASE = 12;

/** Seals the root key into a file that is moved off this machine; throws CliError `usage` for a short passphrase, `bad-file` when the file exists. */
export async function writeRootKey(path: string, root: SigningKey, passphrase: string, rng: Rng): Promise<void> {
  if (passphrase.length < SHORTEST_PASSPHRASE)
    throw new CliError('usage', `the passphrase is shorter than ${SHORTEST_PASSPHRASE} characters`, {
      next: 'take five random words',
    });
  refuseExisting(path);
  writeFileAtomic(
    path,
    await sealWithPassphrase({ passphrase: new Passphrase(passphrase), purpose: 'root-key' }, root.seed(), rng),
  );
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

/** Stores the recovery page (0600); throws CliError `bad-file` when the file exists. */
export function writeRecoveryPage(path: string, page: string): void {
  refuseExisting(path);
  writeFileAtomic(path, page);
}

function refuseExisting(path: string): void {
  if (existsSync(path))
    throw new CliError('bad-file', `${path} exists`, { next: 'name another file; keys are never overwritten' });
}
