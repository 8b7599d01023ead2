import { toBase64Url, type OrgId, type Rng } from '@ringfence/base';
import { openAtRest, RecordKey, sealAtRest, type RestingPlace } from '@ringfence/crypto/record';
import {
  newSubjectHandle,
  openSubject,
  sealSubject,
  type SealedSubject,
  type StoredEvent,
  type SubjectFields,
} from '@ringfence/ledger/tlog';
import { CompiledQuery } from 'kysely';
import type { AuditTx } from './audit-store.ts';

/** What an entry is to say of a person: the person's id, and short texts. */
export interface ToldOfSubject {
  readonly subject: string;
  readonly fields: SubjectFields;
}

/** What seals the keys of persons while they rest. */
export interface SubjectSeal {
  readonly records: RecordKey;
  readonly rng: Rng;
}

interface KeptSubject {
  readonly handle: string;
  readonly key_box: Buffer;
}

/** Seals what an event's entry says of persons, each under the key of its own; makes the keys of those who have none. */
export async function sealSubjects(
  tx: AuditTx,
  org: OrgId,
  told: readonly ToldOfSubject[],
  seal: SubjectSeal,
): Promise<NonNullable<StoredEvent['audit']>> {
  const id = toBase64Url(seal.rng.bytes(16));
  const subjects: SealedSubject[] = [];
  for (const { subject, fields } of told) {
    const { key, handle } = await subjectKey(tx, org, subject, seal);
    subjects.push(sealSubject(key, { entry: id, handle }, fields, seal.rng));
    key.secret[Symbol.dispose]();
  }
  return { id, subjects };
}

/** What an entry says of a person; undefined when the person's key was destroyed, or the field does not open. */
export async function openSealedSubject(
  tx: AuditTx,
  org: OrgId,
  { entry, sealed }: { readonly entry: string; readonly sealed: SealedSubject },
  records: RecordKey,
): Promise<{ readonly subject: string; readonly fields: SubjectFields } | undefined> {
  const query = CompiledQuery.raw('select subject, handle, key_box from audit_subject where org = $1 and handle = $2', [
    org,
    sealed.handle,
  ]);
  const { rows } = await tx.executeQuery(query as CompiledQuery<KeptSubject & { subject: string }>);
  const [row] = rows;
  if (row === undefined) return undefined;
  const key = RecordKey.fromBytes(Uint8Array.from(openAtRest(records, placeOf(org, row.subject), row.key_box)));
  try {
    return { subject: row.subject, fields: openSubject(key, entry, sealed) };
  } catch {
    return undefined;
  } finally {
    key.secret[Symbol.dispose]();
  }
}

/**
 * Destroys the key of a person in the transaction of an erasure: from its commit on no entry says anything of them, and every hash
 * stays as it is. Whether there was a key.
 */
export async function forgetSubject(tx: AuditTx, org: OrgId, subject: string): Promise<boolean> {
  const query = CompiledQuery.raw('delete from audit_subject where org = $1 and subject = $2', [org, subject]);
  const { numAffectedRows } = await tx.executeQuery(query);
  return numAffectedRows === 1n;
}

async function subjectKey(
  tx: AuditTx,
  org: OrgId,
  subject: string,
  { records, rng }: SubjectSeal,
): Promise<{ key: RecordKey; handle: string }> {
  const place = placeOf(org, subject);
  const fresh = RecordKey.generate(rng);
  const box = Buffer.from(sealAtRest(records, place, fresh.secret.expose(), rng));
  fresh.secret[Symbol.dispose]();
  await tx.executeQuery(
    CompiledQuery.raw(
      'insert into audit_subject (org, subject, handle, key_box) values ($1, $2, $3, $4) on conflict do nothing',
      [org, subject, newSubjectHandle(rng), box],
    ),
  );
  // Another transaction's, if it came first.
  const query = CompiledQuery.raw('select handle, key_box from audit_subject where org = $1 and subject = $2', [
    org,
    subject,
  ]);
  const { rows } = await tx.executeQuery(query as CompiledQuery<KeptSubject>);
  const [row] = rows;
  if (row === undefined) throw new TypeError('a row that was just written is there');
  return { key: RecordKey.fromBytes(Uint8Array.from(openAtRest(records, place, row.key_box))), handle: row.handle };
}

function placeOf(org: OrgId, subject: string): RestingPlace {
  return { table: 'audit_subject', column: 'key_box', row: `${org}/${subject}` };
}
