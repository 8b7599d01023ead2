import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { KeyringError, readContractFile, readContractOffer, writeContractFile } from '@ringfence/keyring';
import type { ContractFile, ContractOffer } from '@ringfence/protocol/federation';
import { CliError } from '../cli-error.ts';

/** The contract file at `path`. Throws CliError `bad-file`. */
export function contractAt(path: string): ContractFile {
  return read(path, readContractFile, 'take the file as `ringfence contract draft` or `sign` wrote it');
}

/** The offer at `path`. Throws CliError `bad-file`. */
export function offerAt(path: string): ContractOffer {
  return read(path, readContractOffer, 'take the file as `ringfence contract offer` wrote it');
}

/** Writes a contract in place of the copy with fewer signatures that was read from there; whoever looks sees one or the other. Throws CliError `bad-file`. */
export function replaceContractAt(path: string, file: ContractFile): void {
  const beside = `${path}.new`;
  try {
    writeFileSync(beside, writeContractFile(file), { mode: 0o644 });
    renameSync(beside, path);
  } catch (cause) {
    throw new CliError('bad-file', `${path} cannot be written`, { cause, next: 'check the folder, and sign again' });
  }
}

function read<T>(path: string, parse: (bytes: Uint8Array) => T, next: string): T {
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(path);
  } catch (cause) {
    throw new CliError('bad-file', `${path} cannot be read`, { cause, next });
  }
  try {
    return parse(bytes);
  } catch (cause) {
    if (!(cause instanceof KeyringError)) throw cause;
    throw new CliError('bad-file', `${path} is damaged or another file`, { cause, next });
  }
}
