import { readFileSync, statSync } from 'node:fs';
import { Secret } from '@ringfence/base';
import { kekError } from '../kek-provider.ts';

/**
 * The text of a file that nobody but its owner may read, without white space around it. It is read again for every use, so that whoever
 * renews it needs no restart here. Throws `kek-denied` when it cannot be read, is empty or is open to others.
 */
export function readSecretFile(path: string): Secret {
  let text: string;
  try {
    if ((statSync(path).mode & 0o077) !== 0) throw new RangeError('others may read it');
    text = readFileSync(path, 'utf8').trim();
    if (text === '') throw new RangeError('it is empty');
  } catch (cause) {
    throw kekError('kek-denied', cause);
  }
  return new Secret(Buffer.from(text));
}

/** The text of a secret, for the one call that sends it. */
export function textOf(secret: Secret): string {
  return Buffer.from(secret.expose()).toString('utf8');
}
