import { hkdfSync } from 'node:crypto';
import { Secret } from '@ringfence/base';
import type { SigningKey } from '../sign/signing-key.ts';
import { NoteKey } from './note-key.ts';

/** What a derived key signs: the checkpoints of its holder's own log, or cosignatures on other logs. */
export type NotePurpose = 'log' | 'witness';

/**
 * The note key of a party's signing key (HKDF-SHA-256, RFC 5869, over its seed; the info names the purpose). Whoever keeps the one keeps the
 * other, so state and backups from before there were logs need nothing new; from a note key nobody comes back to the seed.
 */
export function deriveNoteKey(from: SigningKey, purpose: NotePurpose): NoteKey {
  const seed = from.seed();
  const derived = new Secret(
    new Uint8Array(hkdfSync('sha256', seed.expose(), '', `ringfence/note-key/v1 ${purpose}`, 32)),
  );
  const key = NoteKey.fromSeed(derived);
  seed[Symbol.dispose]();
  derived[Symbol.dispose]();
  return key;
}
