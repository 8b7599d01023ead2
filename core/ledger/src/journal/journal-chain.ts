import { isUtf8 } from 'node:buffer';
import { canonicalJson, concatBytes, fromUtf8, utf8 } from '@ringfence/base';
import { sha256Hex, type Digest } from '@ringfence/crypto/sign';
import { journalRecord, type JournalFields, type JournalHead, type JournalRecord } from './journal-record.ts';

/** The longest line of a journal in bytes, without its newline. */
export const LONGEST_LINE = 262_144;

const TAG = utf8('ringfence/journal/v1');
/** Schemas leave a key of this name out instead of refusing it: what stands under it would be in the file and in no hash. */
const DROPPED_KEY = '"__proto__":';

/** Why a line is no continuation of a journal. */
export type JournalFault =
  /** Not canonical JSON in UTF-8 of at most {@link LONGEST_LINE} bytes. */
  | 'canonical'
  /** Not a record that this release knows. */
  | 'schema'
  /** The record does not match its own hash. */
  | 'hash'
  /** It does not name the record before it. */
  | 'chain'
  /** Its number is not the next. */
  | 'sequence'
  /** Its time lies before the record before it, within one run of the process. */
  | 'time'
  /** A journal begins with a start record. */
  | 'start';

/** A record that was read, or why not. */
export type ReadRecord =
  | { readonly ok: true; readonly record: JournalRecord; readonly head: JournalHead }
  | { readonly ok: false; readonly code: JournalFault };

/** SHA-256 of tag ‖ canonical JSON of the record without `hash`. */
export function recordHash(withoutHash: object): Digest {
  return sha256Hex(concatBytes(TAG, utf8(canonicalJson(withoutHash))));
}

/**
 * The next line (without newline) of a journal at `head`, written at `t` (milliseconds), and the head after it. Throws
 * RangeError when the line would exceed {@link LONGEST_LINE}.
 */
export function appendRecord(head: JournalHead, fields: JournalFields, t: number): { line: string; head: JournalHead } {
  const seq = head.seq + 1;
  const record = { ...fields, seq, t, hash_prev: head.hash };
  const hash = recordHash(record);
  const line = canonicalJson({ ...record, hash });
  if (Buffer.byteLength(line) > LONGEST_LINE) throw new RangeError(`a journal line has at most ${LONGEST_LINE} bytes`);
  return { line, head: { seq, hash, t } };
}

/** The record that `line` (bytes without newline) adds to a journal at `head`. */
export function readRecord(head: JournalHead, line: Uint8Array): ReadRecord {
  const json = readLine(line);
  return json === undefined ? { ok: false, code: 'canonical' } : judgeRecord(head, json);
}

/** The canonical JSON in a line of at most {@link LONGEST_LINE} bytes; undefined for anything else. */
export function readLine(line: Uint8Array): unknown {
  return line.length <= LONGEST_LINE ? canonicalOf(line) : undefined;
}

/** Whether `json`, as it stands in a line or a fold, continues a journal at `head`. */
export function judgeRecord(head: JournalHead, json: unknown): ReadRecord {
  const parsed = journalRecord.safeParse(json);
  if (!parsed.success) return { ok: false, code: 'schema' };
  const { hash, ...rest } = parsed.data;
  if (recordHash(rest) !== hash) return { ok: false, code: 'hash' };
  const { seq, t, hash_prev, kind } = parsed.data;
  if (hash_prev !== head.hash) return { ok: false, code: 'chain' };
  if (seq !== head.seq + 1) return { ok: false, code: 'sequence' };
  if (kind !== 'start' && seq === 1) return { ok: false, code: 'start' };
  if (kind !== 'start' && t < head.t) return { ok: false, code: 'time' };
  return { ok: true, record: parsed.data, head: { seq, hash, t } };
}

/** A record that was kept apart from its journal: as it was written, but its place is not known. Undefined when it is damaged. */
export function readKeptRecord(line: Uint8Array): JournalRecord | undefined {
  const parsed = journalRecord.safeParse(readLine(line));
  if (!parsed.success) return undefined;
  const { hash, ...rest } = parsed.data;
  return recordHash(rest) === hash ? parsed.data : undefined;
}

/**
 * Whether `rest`, the bytes behind the last newline, are what a crash leaves of an unfinished line. A whole record
 * followed by anything but zeros is none: there, a newline was changed afterwards.
 */
export function isTornTail(head: JournalHead, rest: Uint8Array): boolean {
  if (rest.length > LONGEST_LINE + 1) return false;
  const last = rest.at(-1);
  return last === undefined || last === 0 || !readRecord(head, rest.subarray(0, -1)).ok;
}

function canonicalOf(line: Uint8Array): unknown {
  if (!isUtf8(line)) return undefined;
  const text = fromUtf8(line);
  try {
    const json: unknown = JSON.parse(text);
    return canonicalJson(json) === text && !text.includes(DROPPED_KEY) ? json : undefined;
  } catch {
    return undefined;
  }
}
