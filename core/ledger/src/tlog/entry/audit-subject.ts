import { canonicalBytes, fromBase64Url, fromUtf8, toBase64Url, type Json, type Rng } from '@ringfence/base';
import { openAtRest, sealAtRest, type RecordKey, type RestingPlace } from '@ringfence/crypto/record';
import { z } from 'zod';
import type { AuditEvent } from './audit-entry.ts';

/** What an entry tells of a person: an address, a user agent, a name. Short texts, nothing else. */
export type SubjectFields = Readonly<Record<string, string>>;

/** A subject's fields as they stand in an entry: a random name for the person, and ciphertext. */
export type SealedSubject = AuditEvent['subjects'][number];

const MOST_PLAIN_BYTES = 3840;
/** Sealed lengths come in steps, so that a name is not told by its length. */
const STEP = 128;

const subjectFields = z.record(z.string().regex(/^[a-z][a-z0-9-]{0,31}$/), z.string().max(1024));

/** A fresh handle: which person it stands for is written only beside the person's key, and goes with it. */
export function newSubjectHandle(rng: Rng): string {
  return toBase64Url(rng.bytes(16));
}

/**
 * `fields` sealed under the key of one person for one entry. Destroying the key erases what all entries say of the person
 * and leaves every hash as it is, because the tree hashes the ciphertext. Throws `RangeError` for too much.
 */
export function sealSubject(
  key: RecordKey,
  place: { readonly entry: string; readonly handle: string },
  fields: SubjectFields,
  rng: Rng,
): SealedSubject {
  const plain = canonicalBytes(subjectFields.parse(fields));
  if (plain.length > MOST_PLAIN_BYTES) throw new RangeError('an entry says at most 3,840 bytes of a person');
  const padded = Buffer.alloc(Math.ceil(plain.length / STEP) * STEP);
  padded.set(plain);
  return { handle: place.handle, sealed: toBase64Url(sealAtRest(key, restingPlace(place), padded, rng)) };
}

/** What entry `entry` says of a person; throws CryptoError `cannot-open` under any other key and for an altered or moved field, `RangeError` for a misspelt one. */
export function openSubject(key: RecordKey, entry: string, { handle, sealed }: SealedSubject): SubjectFields {
  const padded = openAtRest(key, restingPlace({ entry, handle }), fromBase64Url(sealed));
  const end = padded.indexOf(0);
  const fields = JSON.parse(fromUtf8(end < 0 ? padded : padded.subarray(0, end))) as Json;
  return subjectFields.parse(fields);
}

function restingPlace({ entry, handle }: { readonly entry: string; readonly handle: string }): RestingPlace {
  return { table: 'audit', column: 'subject', row: `${entry}/${handle}` };
}
