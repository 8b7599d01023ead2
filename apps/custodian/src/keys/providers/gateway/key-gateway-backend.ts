import { fromBase64Url, Secret, toBase64Url, type Clock } from '@ringfence/base';
import { HttpsExchange, type ServerAccess } from '@ringfence/client/api';
import { z } from 'zod';
import type { KekErrorCode } from '../../../custodian-error.ts';
import { kekError, type Destruction } from '../../kek-provider.ts';
import { exchangeJson, type JsonAnswer } from '../json-exchange.ts';
import type { KekBackend } from '../kek-backend.ts';

const bytes = z.string().regex(/^[A-Za-z0-9_-]{1,1400}$/);
const keyVersionSchema = z.string().regex(/^\w[\w.:-]{0,127}$/);
const wrappedSchema = z.strictObject({ keyVersion: keyVersionSchema, wrapped: bytes });
const unwrappedSchema = z.strictObject({ plaintext: bytes });
const healthSchema = z.strictObject({ keyVersion: keyVersionSchema });
const refusalSchema = z.strictObject({ error: z.enum(['denied', 'destroyed', 'tampered', 'unavailable']) });

/**
 * A key gateway that the customer runs (docs/protocol/key-gateway.md): it holds the KEK, decides for itself, and is reached by mutual TLS.
 * From here its key is neither rotated nor destroyed.
 */
export class KeyGatewayBackend implements KekBackend {
  readonly kind = 'gateway';
  readonly #exchange: HttpsExchange;

  constructor(server: Omit<ServerAccess, 'clock'>, clock: Clock) {
    this.#exchange = new HttpsExchange({ ...server, clock });
  }

  async wrap(...[plaintext, aad, signal]: Parameters<KekBackend['wrap']>) {
    const body = { aad, plaintext: toBase64Url(plaintext.expose()) };
    const made = await this.#ask('POST', 'wrap', wrappedSchema, { body, signal });
    return { keyVersion: made.keyVersion, wrapped: fromBase64Url(made.wrapped) };
  }

  async unwrap(...[{ keyVersion, wrapped }, aad, signal]: Parameters<KekBackend['unwrap']>): Promise<Secret> {
    if (!keyVersionSchema.safeParse(keyVersion).success) throw kekError('kek-tampered');
    const body = { aad, keyVersion, wrapped: toBase64Url(wrapped) };
    const { plaintext } = await this.#ask('POST', 'unwrap', unwrappedSchema, { body, signal });
    return new Secret(fromBase64Url(plaintext));
  }

  async rotate(): Promise<never> {
    throw kekError('kek-denied');
  }

  async destroy(): Promise<Destruction> {
    return { state: 'left-to-owner' };
  }

  async health(signal: AbortSignal): Promise<string> {
    return (await this.#ask('GET', 'health', healthSchema, { signal })).keyVersion;
  }

  async close(): Promise<void> {
    await this.#exchange.close();
  }

  async #ask<Schema extends z.ZodType>(
    method: 'GET' | 'POST',
    path: string,
    schema: Schema,
    request: { readonly body?: unknown; readonly signal: AbortSignal },
  ): Promise<z.output<Schema>> {
    const answer = await exchangeJson(this.#exchange, { method, target: `/v1/${path}`, ...request });
    if (answer.status !== 200) throw kekError(codeOf(answer));
    const { success, data } = schema.safeParse(answer.json);
    if (!success) throw kekError('kek-unavailable');
    return data;
  }
}

function codeOf({ json }: JsonAnswer): KekErrorCode {
  const { success, data } = refusalSchema.safeParse(json);
  return success ? `kek-${data.error}` : 'kek-denied';
}
