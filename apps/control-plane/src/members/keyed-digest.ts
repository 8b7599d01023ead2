import { createHmac, hkdfSync } from 'node:crypto';
import type { RecordKey } from '@ringfence/crypto/record';

/** What keyed digests are of; one never equals another. */
type DigestPurpose = 'wrong-try' | 'sso-subject';

/** HMAC-SHA-256 of `text` in hexadecimal, under a key for `purpose` that HKDF (RFC 5869) takes from the process's record key. */
export function keyedDigest(records: RecordKey, purpose: DigestPurpose, text: string): string {
  const key = Buffer.from(hkdfSync('sha256', records.secret.expose(), '', `ringfence/keyed-digest/${purpose}/v1`, 32));
  return createHmac('sha256', key).update(text).digest('hex');
}
