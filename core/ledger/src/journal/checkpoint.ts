import { canonicalBytes, concatBytes, utf8 } from '@ringfence/base';
import { verifySignature, type SigningKey, type SigningPublicKey } from '@ringfence/crypto/sign';
import type { JournalFields, JournalHead, JournalRecordOf } from './journal-record.ts';
import type { LinkCheckpoint } from './link-state.ts';

const TAG = utf8('checkpoint ');

/** The fields of the checkpoint that goes behind `head`, signed by the party's frame key. */
export function signCheckpoint(
  key: Pick<SigningKey, 'sign'>,
  head: JournalHead,
  state: LinkCheckpoint,
): Extract<JournalFields, { kind: 'checkpoint' }> {
  const fields = { kind: 'checkpoint', ...state } as const;
  const sig = key.sign('ringfence/journal/v1', signedBytes({ ...fields, seq: head.seq + 1, hash_prev: head.hash }));
  return { ...fields, sig: Buffer.from(sig).toString('base64') };
}

/** Whether a checkpoint is signed by `party`; its time is not part of that. */
export function isCheckpointSigned(party: SigningPublicKey, record: JournalRecordOf<'checkpoint'>): boolean {
  const { sig, hash: _, t: __, ...signed } = record;
  return verifySignature(party, 'ringfence/journal/v1', signedBytes(signed), Buffer.from(sig, 'base64'));
}

function signedBytes(record: object): Uint8Array {
  return concatBytes(TAG, canonicalBytes(record));
}
