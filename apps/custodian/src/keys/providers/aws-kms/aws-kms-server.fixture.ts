// A server of ours that speaks the wire of AWS KMS (JSON 1.1, "TrentService", API reference 2014-11-01) with Signature Version 4. It is NOT
// AWS: it is what tests can start. Ciphertexts name their key, as AWS's do, and authenticate the encryption context.
import { createCipheriv, createDecipheriv, randomBytes, randomUUID } from 'node:crypto';
import type { TestContext } from 'node:test';
import { canonicalBytes } from '@ringfence/base';
import { systemClock } from '@ringfence/base/platform';
import { startTlsService, type ServiceAnswer, type ServiceRequest, type TlsService } from '../tls-service.fixture.ts';
import { signatureClaim, signatureOf } from './signature-v4.fixture.ts';

interface KmsKeyRow {
  readonly arn: string;
  readonly material: Buffer;
  readonly policy: string;
  state: 'Enabled' | 'Disabled' | 'PendingDeletion';
  /** Seconds since 1970. */
  deletion: number | undefined;
}

/** The server, and what its operator does beside its API. */
export interface AwsKmsServer extends TlsService {
  /** By access key id: the secret, and the operations that its policy allows. */
  readonly users: Map<string, { secret: string; may: (operation: string) => boolean }>;
  readonly keys: Map<string, KmsKeyRow>;
  readonly aliases: Map<string, string>;
  /** Operations in the order of their requests. */
  readonly asked: string[];
  newKey(policy?: string): KmsKeyRow;
}

/** The region that it serves. */
export const REGION = 'eu-central-1';
const ACCOUNT = '111122223333';
const KEY_BYTES = 36;
const refuse = (type: string, status = 400): ServiceAnswer => ({
  status,
  json: { __type: type, message: `${type}: no` },
});
const ok = (json: object): ServiceAnswer => ({ status: 200, json });

/** Starts it without users and keys. */
export async function startAwsKmsServer(t: TestContext): Promise<AwsKmsServer> {
  const keys: AwsKmsServer['keys'] = new Map();
  const service = await startTlsService(t, (request) => {
    const answered = answer(server, request);
    return { ...answered, headers: { 'content-type': 'application/x-amz-json-1.1', 'x-amzn-requestid': randomUUID() } };
  });
  const server: AwsKmsServer = Object.assign(service, {
    keys,
    users: new Map() as AwsKmsServer['users'],
    aliases: new Map<string, string>(),
    asked: [] as string[],
    newKey(policy = '{"Version":"2012-10-17"}') {
      const arn = `arn:aws:kms:${REGION}:${ACCOUNT}:key/${randomUUID()}`;
      const row: KmsKeyRow = { arn, material: randomBytes(32), policy, state: 'Enabled', deletion: undefined };
      keys.set(arn, row);
      return row;
    },
  });
  return server;
}

function answer(server: AwsKmsServer, request: ServiceRequest): ServiceAnswer {
  const [prefix, operation = ''] = String(request.headers['x-amz-target']).split('.');
  if (request.method !== 'POST' || request.target !== '/' || prefix !== 'TrentService')
    return refuse('UnknownOperationException');
  const why = unauthorised(server, request, operation);
  if (why !== undefined) return refuse(why);
  server.asked.push(operation);
  const { json } = request;
  if (operation === 'CreateKey') return ok({ KeyMetadata: metadata(server.newKey(text(json['Policy']))) });
  const named = text(json['KeyId'] ?? json['TargetKeyId']);
  const key = server.keys.get(server.aliases.get(named) ?? named) ?? (named === '' ? keyOf(server, json) : undefined);
  if (key === undefined) return refuse('NotFoundException');
  if (operation === 'DescribeKey') return ok({ KeyMetadata: metadata(key) });
  if (operation === 'GetKeyPolicy') return ok({ Policy: key.policy, PolicyName: 'default' });
  if (key.state === 'PendingDeletion') return refuse('KMSInvalidStateException');
  if (operation === 'ScheduleKeyDeletion') return schedule(key, Number(json['PendingWindowInDays'] ?? 30));
  if (key.state === 'Disabled') return refuse('DisabledException');
  if (operation === 'UpdateAlias') {
    server.aliases.set(text(json['AliasName']), key.arn);
    return ok({});
  }
  if (operation === 'Encrypt') return encrypt(key, json);
  if (operation === 'Decrypt') return decrypt(server, key, json);
  return refuse('UnknownOperationException');
}

/** The exception's name, or undefined when the signature is right and the user may do it. */
function unauthorised(server: AwsKmsServer, request: ServiceRequest, operation: string): string | undefined {
  const claim = signatureClaim(request.headers.authorization);
  if (claim === undefined) return 'MissingAuthenticationTokenException';
  const user = server.users.get(claim.accessKeyId);
  if (user === undefined) return 'UnrecognizedClientException';
  const signed = ['host', 'x-amz-date', 'x-amz-target'].every((name) => claim.signedHeaders.includes(name));
  if (!signed || claim.region !== REGION || claim.service !== 'kms') return 'InvalidSignatureException';
  const at = String(request.headers['x-amz-date']);
  // oxlint-disable-next-line no-restricted-globals -- reads a header, not the time
  const sent = Date.parse(at.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z'));
  if (!at.startsWith(claim.date) || !(Math.abs(systemClock.now() - sent) < 900_000)) return 'InvalidSignatureException';
  if (signatureOf(request, claim, user.secret) !== claim.signature) return 'InvalidSignatureException';
  return user.may(operation) ? undefined : 'AccessDeniedException';
}

function schedule(key: KmsKeyRow, days: number): ServiceAnswer {
  if (!(days >= 7 && days <= 30)) return refuse('ValidationException');
  key.state = 'PendingDeletion';
  key.deletion = Math.floor(systemClock.now() / 1_000) + days * 86_400;
  return ok({ KeyId: key.arn, DeletionDate: key.deletion, KeyState: key.state, PendingWindowInDays: days });
}

function metadata(key: KmsKeyRow): object {
  const KeyId = key.arn.slice(-KEY_BYTES);
  const rest = key.deletion === undefined ? {} : { DeletionDate: key.deletion };
  return {
    AWSAccountId: ACCOUNT,
    KeyId,
    Arn: key.arn,
    Enabled: key.state === 'Enabled',
    KeyState: key.state,
    KeySpec: 'SYMMETRIC_DEFAULT',
    Description: '',
    ...rest,
  };
}

/** The key that a ciphertext names. */
function keyOf(server: AwsKmsServer, json: ServiceRequest['json']): KmsKeyRow | undefined {
  const id = Buffer.from(text(json['CiphertextBlob']), 'base64').subarray(0, KEY_BYTES).toString('latin1');
  return [...server.keys.values()].find(({ arn }) => arn.endsWith(`/${id}`));
}

function contextBytes(json: ServiceRequest['json']): Uint8Array {
  return canonicalBytes((json['EncryptionContext'] as unknown as Record<string, string> | undefined) ?? {});
}

function encrypt(key: KmsKeyRow, json: ServiceRequest['json']): ServiceAnswer {
  const iv = randomBytes(12);
  const cipher = createCipheriv('aes-256-gcm', key.material, iv).setAAD(contextBytes(json));
  const parts = [cipher.update(Buffer.from(text(json['Plaintext']), 'base64')), cipher.final(), cipher.getAuthTag()];
  const blob = Buffer.concat([Buffer.from(key.arn.slice(-KEY_BYTES), 'latin1'), iv, ...parts]);
  return ok({ CiphertextBlob: blob.toString('base64'), KeyId: key.arn, EncryptionAlgorithm: 'SYMMETRIC_DEFAULT' });
}

function decrypt(server: AwsKmsServer, key: KmsKeyRow, json: ServiceRequest['json']): ServiceAnswer {
  const blob = Buffer.from(text(json['CiphertextBlob']), 'base64').subarray(KEY_BYTES);
  const named = keyOf(server, json);
  if (blob.length < 28 || named === undefined) return refuse('InvalidCiphertextException');
  if (named !== key) return refuse('IncorrectKeyException');
  const decipher = createDecipheriv('aes-256-gcm', key.material, blob.subarray(0, 12))
    .setAAD(contextBytes(json))
    .setAuthTag(blob.subarray(-16));
  try {
    const plaintext = Buffer.concat([decipher.update(blob.subarray(12, -16)), decipher.final()]);
    return ok({ Plaintext: plaintext.toString('base64'), KeyId: key.arn, EncryptionAlgorithm: 'SYMMETRIC_DEFAULT' });
  } catch {
    return refuse('InvalidCiphertextException');
  }
}

function text(value: string | number | boolean | undefined): string {
  return typeof value === 'string' ? value : '';
}
