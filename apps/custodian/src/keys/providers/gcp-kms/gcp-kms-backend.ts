import { canonicalBytes, Secret, type Clock } from '@ringfence/base';
import { HttpsExchange } from '@ringfence/client/api';
import { z } from 'zod';
import { kekError, type Destruction, type KekAad } from '../../kek-provider.ts';
import { exchangeJson, type JsonAnswer, type JsonRequest } from '../json-exchange.ts';
import type { KekBackend } from '../kek-backend.ts';
import { textOf } from '../secret-file.ts';
import { crc32c } from './crc32c.ts';
import { serviceAccountTokens } from './service-account.ts';

/** A symmetric key of Google Cloud KMS. */
export interface GcpKmsKey {
  /** `projects/P/locations/L/keyRings/R/cryptoKeys/K`. */
  readonly key: string;
  readonly credentialsFile: string;
  /** `https://cloudkms.googleapis.com` unless told. */
  readonly endpoint: string | undefined;
  readonly caFile: string | undefined;
  readonly proxy: string | undefined;
  /** Whether destruction is scheduled when the custodian is asked to destroy a version. */
  readonly mayDestroy: boolean;
}

const VERSION_STATES = z.enum([
  'PENDING_GENERATION',
  'ENABLED',
  'DISABLED',
  'DESTROYED',
  'DESTROY_SCHEDULED',
  'PENDING_IMPORT',
  'IMPORT_FAILED',
  'GENERATION_FAILED',
  'PENDING_EXTERNAL_DESTRUCTION',
  'EXTERNAL_DESTRUCTION_FAILED',
]);
const versionSchema = z.object({ name: z.string(), state: VERSION_STATES, destroyTime: z.coerce.date().optional() });
const keySchema = z.object({ primary: versionSchema.optional() });
// JSON has no 64-bit integers: Google writes them as text.
const checksum = z.union([z.string().regex(/^\d{1,10}$/), z.number().int()]).transform(Number);
const encryptedSchema = z.object({
  name: z.string(),
  ciphertext: z.base64(),
  ciphertextCrc32c: checksum,
  verifiedPlaintextCrc32c: z.boolean().optional(),
  verifiedAdditionalAuthenticatedDataCrc32c: z.boolean().optional(),
});
const decryptedSchema = z.object({ plaintext: z.base64(), plaintextCrc32c: checksum });

/**
 * Cloud KMS over its REST API (v1) with the CRC-32C checks that Google asks for in both directions. Wraps under a version that it names, and
 * authenticates that name, because `decrypt` finds the version by itself and would open under any.
 */
export class GcpKmsBackend implements KekBackend {
  readonly kind = 'gcp-kms';
  readonly #key: GcpKmsKey;
  readonly #exchange: HttpsExchange;
  readonly #tokens: ReturnType<typeof serviceAccountTokens>;

  constructor(key: GcpKmsKey, clock: Clock) {
    this.#key = key;
    const { endpoint = 'https://cloudkms.googleapis.com', caFile, proxy } = key;
    this.#exchange = new HttpsExchange({ url: endpoint, caFile, proxy, clock });
    this.#tokens = serviceAccountTokens(key.credentialsFile, clock);
  }

  async wrap(...[plaintext, aad, signal]: Parameters<KekBackend['wrap']>) {
    const keyVersion = await this.#primary(signal);
    const bound = aadBytes(aad, keyVersion);
    const body = {
      plaintext: base64(plaintext.expose()),
      plaintextCrc32c: String(crc32c(plaintext.expose())),
      additionalAuthenticatedData: base64(bound),
      additionalAuthenticatedDataCrc32c: String(crc32c(bound)),
    };
    const answer = await this.#ask('POST', `${this.#versionName(keyVersion)}:encrypt`, { body, signal });
    if (answer.status !== 200) throw await this.#whyNot(answer, keyVersion, signal);
    const made = parsed(encryptedSchema, answer);
    const wrapped = Buffer.from(made.ciphertext, 'base64');
    // What the service got, and what came back, is what was sent; otherwise it was damaged on the way and is worth another try.
    if (made.verifiedPlaintextCrc32c !== true || made.verifiedAdditionalAuthenticatedDataCrc32c !== true)
      throw kekError('kek-unavailable');
    if (crc32c(wrapped) !== made.ciphertextCrc32c) throw kekError('kek-unavailable');
    if (made.name !== this.#versionName(keyVersion)) throw kekError('kek-tampered');
    return { keyVersion, wrapped };
  }

  async unwrap(...[{ keyVersion, wrapped }, aad, signal]: Parameters<KekBackend['unwrap']>): Promise<Secret> {
    const bound = aadBytes(aad, versionOf(keyVersion));
    const body = {
      ciphertext: base64(wrapped),
      ciphertextCrc32c: String(crc32c(wrapped)),
      additionalAuthenticatedData: base64(bound),
      additionalAuthenticatedDataCrc32c: String(crc32c(bound)),
    };
    const answer = await this.#ask('POST', `${this.#key.key}:decrypt`, { body, signal });
    if (answer.status !== 200) throw await this.#whyNot(answer, keyVersion, signal);
    const { plaintext, plaintextCrc32c } = parsed(decryptedSchema, answer);
    const secret = new Secret(Buffer.from(plaintext, 'base64'));
    if (crc32c(secret.expose()) !== plaintextCrc32c) throw kekError('kek-unavailable');
    return secret;
  }

  async rotate(signal: AbortSignal): Promise<string> {
    const made = await this.#ask('POST', `${this.#key.key}/cryptoKeyVersions`, { body: {}, signal });
    if (made.status !== 200) throw kekError(plainCode(made));
    const keyVersion = this.#versionIn(parsed(versionSchema, made).name);
    const body = { cryptoKeyVersionId: keyVersion };
    const set = await this.#ask('POST', `${this.#key.key}:updatePrimaryVersion`, { body, signal });
    if (set.status !== 200) throw kekError(plainCode(set));
    return keyVersion;
  }

  async destroy(keyVersion: string, signal: AbortSignal): Promise<Destruction> {
    if (!this.#key.mayDestroy) return { state: 'left-to-owner' };
    const name = this.#versionName(versionOf(keyVersion));
    const asked = await this.#ask('POST', `${name}:destroy`, { body: {}, signal });
    // One that is destroyed, or to be, is in no state to be destroyed.
    const answer = asked.status === 400 ? await this.#ask('GET', name, { signal }) : asked;
    if (answer.status !== 200) throw kekError(plainCode(answer));
    const { state, destroyTime } = parsed(versionSchema, answer);
    if (state === 'DESTROYED') return { state: 'destroyed' };
    if (state !== 'DESTROY_SCHEDULED' || destroyTime === undefined) throw kekError('kek-denied');
    return { state: 'scheduled', at: destroyTime.getTime() };
  }

  async close(): Promise<void> {
    await this.#exchange.close();
  }

  async #primary(signal: AbortSignal): Promise<string> {
    const answer = await this.#ask('GET', this.#key.key, { signal });
    if (answer.status !== 200) throw kekError(plainCode(answer));
    const { primary } = parsed(keySchema, answer);
    if (primary === undefined) throw kekError('kek-destroyed');
    return this.#versionIn(primary.name);
  }

  /** Why a key was not used: by the state of its version instead of by the words of the answer. */
  async #whyNot(answer: JsonAnswer, keyVersion: string, signal: AbortSignal) {
    if (answer.status !== 400) return kekError(plainCode(answer));
    const looked = await this.#ask('GET', this.#versionName(keyVersion), { signal });
    if (looked.status === 404) return kekError('kek-tampered');
    if (looked.status !== 200) return kekError(plainCode(looked));
    const { state } = parsed(versionSchema, looked);
    if (state === 'DESTROYED' || state === 'DESTROY_SCHEDULED') return kekError('kek-destroyed');
    return kekError(state === 'ENABLED' ? 'kek-tampered' : 'kek-denied');
  }

  #versionName(keyVersion: string): string {
    return `${this.#key.key}/cryptoKeyVersions/${keyVersion}`;
  }

  #versionIn(name: string): string {
    const keyVersion = versionOf(name.slice(name.lastIndexOf('/') + 1));
    if (name !== this.#versionName(keyVersion)) throw kekError('kek-tampered');
    return keyVersion;
  }

  async #ask(
    method: JsonRequest['method'],
    path: string,
    request: Pick<JsonRequest, 'body' | 'signal'>,
  ): Promise<JsonAnswer> {
    const authorization = `Bearer ${textOf(await this.#tokens.token())}`;
    const answer = await exchangeJson(this.#exchange, {
      ...request,
      method,
      target: `/v1/${path}`,
      headers: { authorization },
    });
    if (answer.status === 401) this.#tokens.forget();
    return answer;
  }
}

/** No key or version is ever taken away from a key ring: one that is not found is one that never was. */
function plainCode({ status }: JsonAnswer): 'kek-denied' | 'kek-unavailable' {
  return status >= 400 && status < 500 ? 'kek-denied' : 'kek-unavailable';
}

function parsed<Schema extends z.ZodType>(schema: Schema, { json }: JsonAnswer): z.output<Schema> {
  const { success, data } = schema.safeParse(json);
  if (!success) throw kekError('kek-unavailable');
  return data;
}

function aadBytes({ org, project, object, version }: KekAad, keyVersion: string): Uint8Array {
  return canonicalBytes({ keyVersion, object, org, project, version });
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64');
}

function versionOf(text: string): string {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw kekError('kek-tampered');
  return text;
}
