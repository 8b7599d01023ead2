import {
  canonicalBytes,
  fromBase64Url,
  fromUtf8,
  newId,
  Secret,
  toBase64Url,
  type CustodianId,
  type Rng,
} from '@ringfence/base';
import { TlsKey } from '@ringfence/crypto/certificate';
import { SealPrivateKey } from '@ringfence/crypto/open';
import { RecordKey } from '@ringfence/crypto/record';
import { DedupeKey, KeyEncryptionKey } from '@ringfence/crypto/seal';
import { SigningKey } from '@ringfence/crypto/sign';
import { bytes32, idOf } from '@ringfence/protocol';
import { z } from 'zod';
import { CustodianError } from '../custodian-error.ts';

/** All keys of one custodian. */
export interface CustodianKeys {
  readonly id: CustodianId;
  /** Frames and notices of the control link. */
  readonly sign: SigningKey;
  /** Statements that the root delegated: agents, heads, labels, grants, commit records. */
  readonly enrolment: SigningKey;
  /** Identity on payload links. */
  readonly tls: TlsKey;
  /** Opens workloads. */
  readonly seal: SealPrivateKey;
  /** Wraps data keys. */
  readonly kek: KeyEncryptionKey;
  /** Recognises equal chunks; devices get it too. */
  readonly dedupe: DedupeKey;
  /** Seals this custodian's own rows. */
  readonly records: RecordKey;
  /** Finds rows by names that rest sealed. */
  readonly names: Secret;
}

const stored = z.strictObject({
  v: z.literal(1),
  id: idOf('custodian'),
  sign: bytes32,
  enrolment: bytes32,
  tls: bytes32,
  seal: bytes32,
  kek: z.strictObject({ id: z.string().min(1).max(64), version: z.int().min(1), key: bytes32 }),
  dedupe: bytes32,
  records: bytes32,
  names: bytes32,
});

/** Fresh keys as the bytes that rest sealed. */
export function makeKeyBytes(rng: Rng): Secret {
  const seed = (): string => toBase64Url(rng.bytes(32));
  const keys: z.infer<typeof stored> = {
    v: 1,
    id: newId('custodian', rng),
    sign: seed(),
    enrolment: seed(),
    tls: seed(),
    seal: seed(),
    kek: { id: 'kek-1', version: 1, key: seed() },
    dedupe: seed(),
    records: seed(),
    names: seed(),
  };
  return new Secret(canonicalBytes(keys));
}

/** The keys in opened bytes; throws CustodianError `bad-keys`. */
export function readKeyBytes(bytes: Secret): CustodianKeys {
  const keys = parse(bytes);
  const secret = (text: string): Secret => new Secret(Uint8Array.from(fromBase64Url(text)));
  return {
    id: keys.id,
    sign: SigningKey.fromSeed(secret(keys.sign)),
    enrolment: SigningKey.fromSeed(secret(keys.enrolment)),
    tls: TlsKey.fromSeed(secret(keys.tls)),
    seal: SealPrivateKey.fromSeed(secret(keys.seal)),
    kek: new KeyEncryptionKey(keys.kek.id, keys.kek.version, secret(keys.kek.key)),
    dedupe: DedupeKey.fromBytes(secret(keys.dedupe).expose()),
    records: RecordKey.fromBytes(secret(keys.records).expose()),
    names: secret(keys.names),
  };
}

function parse(bytes: Secret): z.infer<typeof stored> {
  try {
    return stored.parse(JSON.parse(fromUtf8(bytes.expose())));
  } catch {
    // The parser's message would quote the keys.
    throw new CustodianError('bad-keys', 'the custodian keys are not of a form that this release knows', {
      next: 'start the release that wrote them, or restore the folder from a backup',
    });
  }
}
