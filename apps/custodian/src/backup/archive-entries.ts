import { canonicalBytes, fromUtf8 } from '@ringfence/base';
import { sha256 } from '@ringfence/protocol';
import { z } from 'zod';
import { CustodianError } from '../custodian-error.ts';

/** What an entry of an archive is; bytes of that length follow it. */
export const entryHead = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('keys'), length: z.int().min(1).max(65_536) }),
  z.strictObject({ kind: z.literal('organisation-keys'), length: z.int().min(1).max(4_194_304) }),
  z.strictObject({ kind: z.literal('rows'), table: z.string().max(63), length: z.int().min(0).max(268_435_456) }),
  z.strictObject({ kind: z.literal('object'), digest: sha256, length: z.int().min(0).max(1_073_741_824) }),
  z.strictObject({ kind: z.literal('end'), length: z.literal(0) }),
]);
export type EntryHead = z.infer<typeof entryHead>;

/** One step of reading an archive. */
export type EntryPiece =
  | { readonly kind: 'begin'; readonly head: EntryHead }
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array }
  | { readonly kind: 'end' };

/** The bytes that begin an entry: u32 length of the head, the head in canonical JSON. */
export function writeEntryHead(head: EntryHead): Uint8Array {
  const json = canonicalBytes(head);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(json.length);
  return Buffer.concat([length, json]);
}

const LONGEST_HEAD = 4_096;

/** Takes an opened archive apart; throws CustodianError `bad-backup` unless it ends with its `end` entry. */
export async function* readEntries(stream: AsyncIterable<Uint8Array>): AsyncGenerator<EntryPiece> {
  let waiting = Buffer.alloc(0);
  let left = 0;
  let ended = false;
  for await (const piece of stream) {
    if (ended && piece.length > 0) throw badArchive();
    waiting = Buffer.concat([waiting, piece]);
    while (waiting.length > 0) {
      if (left > 0) {
        const bytes = waiting.subarray(0, left);
        left -= bytes.length;
        waiting = waiting.subarray(bytes.length);
        yield { kind: 'bytes', bytes };
        if (left === 0) yield { kind: 'end' };
        continue;
      }
      const taken = takeHead(waiting);
      if (taken === undefined) break;
      waiting = waiting.subarray(taken.bytes);
      left = taken.head.length;
      ended = taken.head.kind === 'end';
      yield { kind: 'begin', head: taken.head };
      if (left === 0) yield { kind: 'end' };
    }
  }
  if (!ended || waiting.length > 0) throw badArchive();
}

function takeHead(waiting: Buffer): { head: EntryHead; bytes: number } | undefined {
  if (waiting.length < 4) return undefined;
  const length = waiting.readUInt32BE();
  if (length > LONGEST_HEAD) throw badArchive();
  if (waiting.length < 4 + length) return undefined;
  const parsed = entryHead.safeParse(JSON.parse(fromUtf8(waiting.subarray(4, 4 + length))));
  if (!parsed.success) throw badArchive();
  return { head: parsed.data, bytes: 4 + length };
}

/** One error for an archive that is cut off, of another form, or not opened by its key. */
export function badArchive(cause?: unknown): CustodianError {
  return new CustodianError('bad-backup', 'the archive does not open, or is cut off', {
    cause,
    next: 'check the passphrase, or use another backup',
  });
}
