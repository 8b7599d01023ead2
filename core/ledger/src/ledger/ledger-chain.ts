import { canonicalBytes, equalBytes, fromUtf8, utf8, type EpochMs, type OrgId } from '@ringfence/base';
import { parseDigest, sha256Hex, type Digest } from '@ringfence/crypto/sign';
import { LedgerError } from '../ledger-error.ts';

/** Where an organisation's ledger stands: how many entries it has, and the hash of the last (64 zeros before the first). */
export interface LedgerHead {
  readonly seq: number;
  readonly hash: Digest;
}

/** One entry: canonical JSON of {v, org, seq, prev, at, event}, and its hash. */
export interface LedgerEntry {
  readonly seq: number;
  readonly at: EpochMs;
  readonly body: Uint8Array;
  readonly hash: Digest;
}

const DOMAIN = utf8('ringfence/ledger/v1');

/** The head of a ledger without entries. */
export const EMPTY_LEDGER: LedgerHead = { seq: 0, hash: zeros() };

/** The entry that continues `head` with `event`; throws LedgerError `bad-event` for an event without canonical form. */
export function nextEntry(
  head: LedgerHead,
  entry: { readonly org: OrgId; readonly at: EpochMs; readonly event: object },
): LedgerEntry {
  const seq = head.seq + 1;
  const body = bytesOf({ v: 1, org: entry.org, seq, prev: head.hash, at: entry.at, event: entry.event });
  return { seq, at: entry.at, body, hash: hashOf(body) };
}

/**
 * Checks that `entries` of one organisation continue `head` without a gap, each canonical and as its columns say, and
 * returns the head after them; throws LedgerError `broken-ledger` that names the entry.
 */
export function verifyEntries(head: LedgerHead, org: OrgId, entries: Iterable<LedgerEntry>): LedgerHead {
  let at = head;
  for (const entry of entries) {
    if (!continues(at, org, entry))
      throw new LedgerError('broken-ledger', `entry ${entry.seq} does not continue entry ${at.seq}`);
    at = { seq: entry.seq, hash: entry.hash };
  }
  return at;
}

function continues(head: LedgerHead, org: OrgId, { seq, at, body, hash }: LedgerEntry): boolean {
  if (seq !== head.seq + 1 || hash !== hashOf(body)) return false;
  try {
    const { event } = JSON.parse(fromUtf8(body)) as { event: object };
    // Written again from its columns it has to be the same bytes: nothing else is in it, and nothing is spelled otherwise.
    return equalBytes(nextEntry(head, { org, at, event }).body, body);
  } catch {
    return false;
  }
}

function bytesOf(value: object): Uint8Array {
  try {
    return canonicalBytes(value);
  } catch (cause) {
    throw new LedgerError('bad-event', 'the event has no canonical form', { cause });
  }
}

function hashOf(body: Uint8Array): Digest {
  return sha256Hex(Buffer.concat([DOMAIN, body]));
}

function zeros(): Digest {
  const digest = parseDigest('0'.repeat(64));
  if (digest === undefined) throw new TypeError('64 zeros are a digest');
  return digest;
}
