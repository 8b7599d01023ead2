import { fromUtf8 } from '@ringfence/base';

/** One signature line of a note: who says they signed, and the bytes behind the key id. */
export interface NoteSignature {
  readonly name: string;
  /** The first four bytes of a hash of name and key; no proof of anything. */
  readonly keyId: number;
  readonly signature: Uint8Array;
}

/** A text and signatures nobody has checked yet (C2SP signed-note). */
export interface SignedNote {
  /** Ends with a newline. */
  readonly text: string;
  readonly signatures: readonly NoteSignature[];
}

/** Longest note that is read, in bytes; ML-DSA signatures take five kilobytes each. */
export const MOST_NOTE_BYTES = 1_000_000;
/** Most signatures of a note. */
export const MOST_SIGNATURES = 100;

const KEY_ID_BYTES = 4;
/** White space of Unicode, U+0085 with it, which `\s` leaves out, and the plus sign. */
const NOT_IN_NAMES = /[\s\u0085+]/u;
// oxlint-disable-next-line no-control-regex
const CONTROL = /[\u0000-\u0009\u000b-\u001f]/;

/** Whether `name` may name a key: not empty, without white space and plus sign. */
export function isKeyName(name: string): boolean {
  return name !== '' && name.isWellFormed() && !NOT_IN_NAMES.test(name) && !CONTROL.test(name);
}

/** The note in `bytes`; undefined when they are none. */
export function parseNote(bytes: Uint8Array): SignedNote | undefined {
  const note = noteText(bytes);
  const end = note?.lastIndexOf('\n\n') ?? -1;
  if (note === undefined || end < 0 || !note.endsWith('\n')) return undefined;
  const signatures = parseSignatureLines(note.slice(end + 2));
  return signatures === undefined ? undefined : { text: note.slice(0, end + 1), signatures };
}

/** The bytes of a note, as text; throws `TypeError` for a text that cannot be one. */
export function formatNote({ text, signatures }: SignedNote): string {
  if (!text.endsWith('\n') || !text.isWellFormed() || CONTROL.test(text))
    throw new TypeError('the text of a note is UTF-8 without control characters and ends with a newline');
  return `${text}\n${formatSignatureLines(signatures)}`;
}

/** Signature lines alone, one at least, as a witness answers; undefined when `lines` are none. */
export function parseSignatureLines(lines: string): NoteSignature[] | undefined {
  if (!lines.endsWith('\n') || CONTROL.test(lines)) return undefined;
  const parts = lines.slice(0, -1).split('\n', MOST_SIGNATURES + 1);
  if (parts.length > MOST_SIGNATURES) return undefined;
  const signatures: NoteSignature[] = [];
  for (const line of parts) {
    const signature = parseSignatureLine(line);
    if (signature === undefined) return undefined;
    signatures.push(signature);
  }
  return signatures;
}

/** The lines of signatures, each ending with a newline; throws `TypeError` for a name that no key can have. */
export function formatSignatureLines(signatures: readonly NoteSignature[]): string {
  return signatures.map((signature) => formatSignatureLine(signature)).join('');
}

function formatSignatureLine({ name, keyId, signature }: NoteSignature): string {
  if (!isKeyName(name)) throw new TypeError('a key name has neither white space nor a plus sign');
  const bytes = Buffer.alloc(KEY_ID_BYTES + signature.length);
  bytes.writeUInt32BE(keyId);
  bytes.set(signature, KEY_ID_BYTES);
  return `— ${name} ${bytes.toString('base64')}\n`;
}

function parseSignatureLine(line: string): NoteSignature | undefined {
  const [dash, name, base64, more] = line.split(' ', 4);
  if (dash !== '—' || name === undefined || base64 === undefined || more !== undefined) return undefined;
  const bytes = Buffer.from(base64, 'base64');
  const canonical = bytes.length > KEY_ID_BYTES && bytes.toString('base64') === base64;
  if (!canonical || !isKeyName(name)) return undefined;
  return { name, keyId: bytes.readUInt32BE(), signature: bytes.subarray(KEY_ID_BYTES) };
}

function noteText(bytes: Uint8Array): string | undefined {
  if (bytes.length > MOST_NOTE_BYTES) return undefined;
  try {
    const text = fromUtf8(bytes);
    return CONTROL.test(text) ? undefined : text;
  } catch {
    return undefined;
  }
}
