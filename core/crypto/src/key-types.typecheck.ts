import { seededRng, type JobId, type OrgId, type ProjectId } from '@ringfence/base';
import { TlsKey, type TlsPublicKey } from './certificate/index.ts';
import { sealRecord } from './channel/index.ts';
import { openObjectBytes, SealPrivateKey } from './open/index.ts';
import { openAtRest, RecordKey, sealAtRest } from './record/index.ts';
import { chunkId, DataKey, DedupeKey, sealObjectBytes, sealTo, type SealPublicKey } from './seal/index.ts';
import { SigningKey, verifySignature, type SigningPublicKey } from './sign/index.ts';

const rng = seededRng('key-types');
const none = new Uint8Array(0);
const org = 'org_abcdefghijklmnopqrstuvwxyz' as OrgId;
const job = 'job_abcdefghijklmnopqrstuvwxyz' as JobId;
const context = { info: { purpose: 'workload', org, job }, aad: none } as const;

/**
 * Keys of one purpose do not fit another's operations. Each line below is a mistake that the compiler must find: an
 * unused `@ts-expect-error` fails the type check. Nothing here runs or is imported.
 */
export function mistakes(): unknown[] {
  const [signing, tls, opening] = [SigningKey.generate(rng), TlsKey.generate(rng), SealPrivateKey.generate(rng)];
  const [data, record, dedupe] = [DataKey.generate(rng), RecordKey.generate(rng), DedupeKey.generate(rng)];
  const identity = { org: context.info.org, project: '' as ProjectId, object: '', version: 1 };
  return [
    // @ts-expect-error -- a TLS key checks no statement
    verifySignature(tls.publicKey, 'ringfence/http/v1', none, none),
    // @ts-expect-error -- a signing key is no TLS identity
    tls.publicKey satisfies SigningPublicKey,
    // @ts-expect-error -- nor the other way round
    signing.publicKey satisfies TlsPublicKey,
    // @ts-expect-error -- nobody seals to a signing key
    sealTo(signing.publicKey, context, none),
    // @ts-expect-error -- a plain string was not parsed
    'AAAA' satisfies SealPublicKey,
    // @ts-expect-error -- purposes are a closed list
    signing.sign('anything', none),
    // @ts-expect-error -- a data key does not open records
    openAtRest(data, { file: '' }, none),
    // @ts-expect-error -- a record key does not open objects
    openObjectBytes({ dataKey: record, identity }, none),
    // @ts-expect-error -- a dedupe key does not seal objects
    sealObjectBytes({ dataKey: dedupe, identity, rng }, none),
    // @ts-expect-error -- a data key does not name chunks
    chunkId(data, none),
    // @ts-expect-error -- a private sealing key is no record key
    sealAtRest(opening, { file: '' }, none, rng),
    // @ts-expect-error -- a record key does not seal frames
    sealRecord(record, 0, none, none),
    // @ts-expect-error -- a grant names its attempt
    sealTo(opening.publicKey, { info: { purpose: 'grant', org: context.info.org }, aad: none }, none),
  ];
}
