import { Secret, type Clock } from '@ringfence/base';
import { HttpsExchange, type ServerAccess } from '@ringfence/client/api';
import { z } from 'zod';
import { kekAadBytes, kekError } from '../../kek-provider.ts';
import { exchangeJson, type JsonAnswer, type JsonRequest } from '../json-exchange.ts';
import type { KekBackend } from '../kek-backend.ts';
import { textOf } from '../secret-file.ts';
import { transitLogin, type TransitCredentials, type TransitLogin } from './transit-login.ts';

/** A key of the Transit engine of HashiCorp Vault or OpenBao. */
export interface TransitKey {
  readonly server: Omit<ServerAccess, 'clock'>;
  readonly namespace: string | undefined;
  /** Where the engine is mounted. */
  readonly mount: string;
  readonly key: string;
  readonly credentials: TransitCredentials;
  /** Whether versions are trimmed, and the key deleted, when the custodian is asked to destroy them. */
  readonly mayDestroy: boolean;
}

type Ask = Pick<JsonRequest, 'method' | 'body' | 'signal'> & { readonly path: string };

const keyState = z.object({
  data: z.object({
    type: z.enum(['aes256-gcm96', 'aes128-gcm96', 'chacha20-poly1305', 'xchacha20-poly1305']),
    derived: z.boolean().optional(),
    latest_version: z.int().positive(),
    min_available_version: z.int().nonnegative(),
    min_decryption_version: z.int().nonnegative(),
  }),
});
type KeyState = z.output<typeof keyState>['data'];
/** No such key, where another path that does not exist names its reason. */
const none = z.object({ errors: z.tuple([]) });
const encrypted = z.object({ data: z.object({ ciphertext: z.string().regex(/^vault:v\d+:[A-Za-z0-9+/=]+$/) }) });
const decrypted = z.object({ data: z.object({ plaintext: z.base64() }) });

/**
 * The Transit engine (HTTP API of Vault 1.12 and OpenBao 2 and newer) with `associated_data`. Its `rewrap` takes none, so what is bound to its
 * place is re-wrapped by unwrapping and wrapping.
 */
export class TransitBackend implements KekBackend {
  readonly kind = 'transit';
  readonly #key: TransitKey;
  readonly #exchange: HttpsExchange;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #login: TransitLogin;

  constructor(key: TransitKey, clock: Clock) {
    this.#key = key;
    this.#exchange = new HttpsExchange({ ...key.server, clock });
    this.#headers = {
      'x-vault-request': 'true',
      ...(key.namespace === undefined ? {} : { 'x-vault-namespace': key.namespace }),
    };
    this.#login = transitLogin(key.credentials, { exchange: this.#exchange, headers: this.#headers, clock });
  }

  /** The key is looked at first: `encrypt` makes a new one when there is none, and what is under the old one is lost all the same. */
  async wrap(plaintext: Secret, aad: Parameters<KekBackend['wrap']>[1], signal: AbortSignal) {
    const { latest_version: latest } = await this.#state(signal);
    const body = {
      plaintext: Buffer.from(plaintext.expose()).toString('base64'),
      associated_data: Buffer.from(kekAadBytes(aad)).toString('base64'),
      key_version: latest,
    };
    const { status, json } = await this.#ask({ method: 'POST', path: `encrypt/${this.#key.key}`, body, signal });
    const parsed = encrypted.safeParse(json);
    if (status !== 200 || !parsed.success) throw kekError('kek-denied');
    const [, version = '', box = ''] = parsed.data.data.ciphertext.split(':');
    return { keyVersion: version.slice(1), wrapped: Buffer.from(box, 'base64') };
  }

  async unwrap(...[{ keyVersion, wrapped }, aad, signal]: Parameters<KekBackend['unwrap']>): Promise<Secret> {
    const version = versionOf(keyVersion);
    const body = {
      ciphertext: `vault:v${version}:${Buffer.from(wrapped).toString('base64')}`,
      associated_data: Buffer.from(kekAadBytes(aad)).toString('base64'),
    };
    const { status, json } = await this.#ask({ method: 'POST', path: `decrypt/${this.#key.key}`, body, signal });
    if (status === 400) throw await this.#whyNot(version, signal);
    const parsed = decrypted.safeParse(json);
    if (status !== 200 || !parsed.success) throw kekError('kek-denied');
    return new Secret(Buffer.from(parsed.data.data.plaintext, 'base64'));
  }

  async rotate(signal: AbortSignal): Promise<string> {
    const { latest_version: before } = await this.#state(signal);
    const { status } = await this.#ask({ method: 'POST', path: `keys/${this.#key.key}/rotate`, body: {}, signal });
    if (status !== 200 && status !== 204) throw kekError('kek-denied');
    const { latest_version: after } = await this.#state(signal);
    if (after <= before) throw kekError('kek-unavailable');
    return String(after);
  }

  /** Trims the oldest version, or deletes the key with its only one; no other version can be destroyed alone. */
  async destroy(keyVersion: string, signal: AbortSignal) {
    if (!this.#key.mayDestroy) return { state: 'left-to-owner' } as const;
    const version = versionOf(keyVersion);
    const state = await this.#stateOrNone(signal);
    const destroyed = { state: 'destroyed' } as const;
    if (state === undefined || version < oldestOf(state)) return destroyed;
    if (version > state.latest_version) throw kekError('kek-tampered');
    if (version !== oldestOf(state)) throw kekError('kek-denied');
    const path = `keys/${this.#key.key}`;
    if (version === state.latest_version) {
      await this.#done({ method: 'POST', path: `${path}/config`, body: { deletion_allowed: true }, signal });
      await this.#done({ method: 'DELETE', path, signal });
      return destroyed;
    }
    const next = version + 1;
    const least = {
      min_decryption_version: Math.max(next, state.min_decryption_version),
      min_encryption_version: state.latest_version,
    };
    await this.#done({ method: 'POST', path: `${path}/config`, body: least, signal });
    await this.#done({ method: 'POST', path: `${path}/trim`, body: { min_available_version: next }, signal });
    return destroyed;
  }

  async close(): Promise<void> {
    await this.#exchange.close();
  }

  /** Why a ciphertext did not open, by the state of the key instead of by the words of the answer. */
  async #whyNot(version: number, signal: AbortSignal) {
    const state = await this.#state(signal);
    if (version < oldestOf(state)) return kekError('kek-destroyed');
    if (version < state.min_decryption_version) return kekError('kek-denied');
    return kekError('kek-tampered');
  }

  async #state(signal: AbortSignal): Promise<KeyState> {
    const state = await this.#stateOrNone(signal);
    if (state === undefined) throw kekError('kek-destroyed');
    return state;
  }

  async #stateOrNone(signal: AbortSignal): Promise<KeyState | undefined> {
    const { status, json } = await this.#ask({ method: 'GET', path: `keys/${this.#key.key}`, signal });
    if (status === 404 && none.safeParse(json).success) return undefined;
    const parsed = keyState.safeParse(json);
    // A derived key wants a context of its own, and a key of another type authenticates nothing beside the text.
    if (status !== 200 || !parsed.success || parsed.data.data.derived === true) throw kekError('kek-denied');
    return parsed.data.data;
  }

  async #done(ask: Ask): Promise<void> {
    const { status } = await this.#ask(ask);
    if (status !== 200 && status !== 204) throw kekError('kek-denied');
  }

  async #ask({ path, ...request }: Ask): Promise<JsonAnswer> {
    const target = `/v1/${this.#key.mount}/${path}`;
    const send = async (): Promise<JsonAnswer> => {
      const token = textOf(await this.#login.token(request.signal));
      return exchangeJson(this.#exchange, {
        ...request,
        target,
        headers: { ...this.#headers, 'x-vault-token': token },
      });
    };
    const answer = await send();
    if (answer.status !== 403 || !this.#login.refused()) return answer;
    return send();
  }
}

function oldestOf(state: KeyState): number {
  return Math.max(1, state.min_available_version);
}

function versionOf(text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw kekError('kek-tampered');
  return Number(text);
}
