import { readFileSync } from 'node:fs';
import { Passphrase } from '@ringfence/crypto/record';
import { CustodianError } from '../custodian-error.ts';

/** Reads a passphrase from the first line of `file` when it is asked for; undefined without a file. */
export function passphraseFromFile(file: string | undefined): (() => Promise<Passphrase>) | undefined {
  if (file === undefined) return undefined;
  return async () => {
    try {
      return new Passphrase(readFileSync(file, 'utf8').split(/\r?\n/, 1)[0] ?? '');
    } catch (cause) {
      throw new CustodianError('bad-config', 'the passphrase file cannot be read or is empty', {
        cause,
        next: 'put the passphrase on its first line and give this process the right to read it',
      });
    }
  };
}
