import { z } from 'zod';
import { envelope, idOf, moment, sealKey, whole } from '../fields.ts';

const count = whole(0, Number.MAX_SAFE_INTEGER);
const providerName = z.string().regex(/^[a-z0-9][a-z0-9-]{0,31}$/);
const keyVersion = z.string().min(1).max(128);

/** Why a provider does not wrap and unwrap now. */
export const KEK_FAILURES = ['kek-unavailable', 'kek-denied', 'kek-destroyed', 'kek-tampered', 'kek-slow'] as const;

/** A place that can hold the organisation's key. */
export const keyProvider = z.strictObject({
  name: providerName,
  kind: z.enum(['built-in', 'pkcs11', 'transit', 'aws-kms', 'gcp-kms', 'gateway']),
  /** It holds the organisation's key. */
  chosen: z.boolean(),
  /** How it calls the version that it would wrap with. */
  keyVersion: keyVersion.nullable(),
  failure: z.enum(KEK_FAILURES).nullable(),
});

/** One version of the project's key. */
export const projectKey = z.strictObject({
  version: whole(1, 1_000_000),
  state: z.enum(['current', 'retiring', 'destroyed']),
  provider: providerName,
  keyVersion,
  madeAt: moment,
  destroyedAt: moment.nullable(),
});

/** How far wrapping data keys again is, or was the last time. */
export const keyRotation = z.strictObject({
  version: whole(1, 1_000_000),
  cause: z.enum(['upgraded', 'rotated', 'imported', 'moved']),
  startedAt: moment,
  finishedAt: moment.nullable(),
  done: count,
  total: count,
  /** Why it does not go on; it is tried again. */
  stalled: z.string().max(64).nullable(),
});

/** `GET /v1/keys`, and the answer to a change. */
export const keysAnswer = z.strictObject({
  org: idOf('org'),
  project: idOf('project'),
  providers: z.array(keyProvider),
  projectKeys: z.array(projectKey),
  rotation: keyRotation.nullable(),
  tombstones: z.array(envelope),
  /** What a key is sealed to on its way here. */
  transportKey: sealKey,
});

/** `POST /v1/keys/import`: 32 bytes, sealed to the transport key for the purpose `kek`. */
export const keyImportRequest = z.strictObject({ sealed: z.base64url().max(2_048) });
/** `POST /v1/keys/provider`. */
export const keyProviderRequest = z.strictObject({ provider: providerName });
/** `POST /v1/keys/shred`: the id says once more what is meant. */
export const keyShredRequest = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('project'), id: idOf('project') }),
  z.strictObject({ kind: z.literal('organisation'), id: idOf('org') }),
]);
/** Its answer. */
export const keyShredAnswer = z.strictObject({ tombstone: envelope });

export type KeysAnswer = z.output<typeof keysAnswer>;
