import { utf8 } from '@ringfence/base';
import { verifyNoteSignature } from '@ringfence/crypto/note';
import { verifyCosignature } from './cosignature.ts';
import { parseNote, type NoteSignature, type SignedNote } from './signed-note.ts';
import type { VerifierKey } from './verifier-key.ts';

/** A signature that a known key made, and when, if it says so (seconds since 1970). */
export interface VerifiedSignature {
  readonly key: VerifierKey;
  readonly seconds: number | undefined;
}

/** A note of which at least one known key signed the text. */
export interface OpenedNote {
  readonly note: SignedNote;
  readonly verified: readonly VerifiedSignature[];
}

/** Why the text of a note must not be used. */
export type NoteFault = 'malformed' | 'bad-signature' | 'unsigned';

/**
 * Checks a note against known keys (C2SP signed-note): lines of other keys are passed over; one line of a known key that
 * does not verify spoils the note; without any that does it is unsigned. Of two lines of one key the first counts.
 */
export function openNote(
  bytes: Uint8Array,
  keys: readonly VerifierKey[],
): { ok: true; opened: OpenedNote } | { ok: false; code: NoteFault } {
  const note = parseNote(bytes);
  if (note === undefined) return { ok: false, code: 'malformed' };
  const verified = new Map<VerifierKey, VerifiedSignature>();
  for (const line of note.signatures) {
    const key = keys.find(({ name, keyId }) => name === line.name && keyId === line.keyId);
    if (key === undefined || verified.has(key)) continue;
    const signature = verifyLine(key, note.text, line);
    if (signature === undefined) return { ok: false, code: 'bad-signature' };
    verified.set(key, signature);
  }
  if (verified.size === 0) return { ok: false, code: 'unsigned' };
  return { ok: true, opened: { note, verified: [...verified.values()] } };
}

function verifyLine(key: VerifierKey, text: string, { signature }: NoteSignature): VerifiedSignature | undefined {
  if (key.type === 'note')
    return verifyNoteSignature(key.publicKey, utf8(text), signature) ? { key, seconds: undefined } : undefined;
  const seconds = verifyCosignature(key, text, signature);
  return seconds === undefined ? undefined : { key, seconds };
}
