import { readFileSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import type { Readable } from 'node:stream';
import type { Clock, Log, Rng } from '@ringfence/base';
import type { CustodianConfig } from '../config.ts';
import { CustodianError } from '../custodian-error.ts';
import type { Fault } from '../fault-points.ts';
import { passphraseFromFile } from '../identity/passphrase-source.ts';
import { restoreBackup } from './restore-backup.ts';

/** The `restore` verb: the archive's passphrase comes from a file, else from the first line of `input`. */
export async function runRestore(
  parts: { config: CustodianConfig; clock: Clock; rng: Rng; log: Log; fault: Fault },
  input: Readable,
): Promise<{ org: string; epoch: number }> {
  const { config, clock, rng, log, fault } = parts;
  const given = config.backupPassphraseFile;
  const passphrase = firstLine(given === undefined ? await text(input) : readFileSync(given, 'utf8'));
  if (passphrase === '')
    throw new CustodianError('bad-config', 'the passphrase of the backup is missing', {
      next: 'pipe it in, or name a file: --backup-passphrase-file FILE',
    });
  const code = config.registrationCodeFile;
  return restoreBackup({
    state: config.state,
    from: config.from ?? '',
    passphrase,
    vault: { ...config, passphrase: passphraseFromFile(config.passphraseFile), rng },
    databaseUrl: config.databaseUrl,
    registration: code === undefined ? undefined : firstLine(readFileSync(code, 'utf8')),
    clock,
    rng,
    log,
    fault,
  });
}

function firstLine(content: string): string {
  return content.split(/\r?\n/, 1)[0] ?? '';
}
