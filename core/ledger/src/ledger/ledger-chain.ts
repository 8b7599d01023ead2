import { canonicalBytes, utf8, type EpochMs, type OrgId } from '@ringfence/base';
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

/** Checks that `entries` continue `head` without a gap and returns the head after them; throws LedgerError `broken-ledger` that names the entry. */
export function verifyEntries(
  head: LedgerHead,
  entries: Iterable<Pick<LedgerEntry, 'seq' | 'body' | 'hash'>>,
): LedgerHead {
  let at = head;
  for (const { seq, body, hash } of entries) {
    if (seq !== at.seq + 1 || hash !== hashOf(body) || !continues(body, at))
      throw new LedgerError('broken-ledger', `entry ${seq} does not continue entry ${at.seq}`);
    at = { seq, hash };
  }
  return at;
}

function continues(body: Uint8Array, head: LedgerHead): boolean {
  const value: unknown = JSON.parse(Buffer.from(body).toString('utf8'));
  if (typeof value !== 'object' || value === null) return false;
  return 'prev' in value && value.prev === head.hash && 'seq' in value && value.seq === head.seq + 1;
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
