import type { Envelope } from '@ringfence/crypto/sign';
import * as payload from '@ringfence/protocol/payload';
import type { z } from 'zod';

type Keys = Promise<payload.KeysAnswer>;

/** Asks one route of a custodian for a JSON answer. */
export type CustodianCall = <Schema extends z.ZodType>(
  method: 'GET' | 'POST',
  path: string,
  answer: Schema,
  body?: object,
) => Promise<z.output<Schema>>;

/** The part of the custodian's API that is about keys; no key comes back by it. */
export class KeyCalls {
  readonly #call: CustodianCall;

  constructor(call: CustodianCall) {
    this.#call = call;
  }

  /** Versions of keys, who holds them, and how far a rotation is. */
  status(): Keys {
    return this.#call('GET', '/v1/keys', payload.keysAnswer);
  }

  rotate(): Keys {
    return this.#call('POST', '/v1/keys/rotate', payload.keysAnswer);
  }

  /** Hands in a key that was sealed to the transport key. */
  import(body: z.input<typeof payload.keyImportRequest>): Keys {
    return this.#call('POST', '/v1/keys/import', payload.keysAnswer, body);
  }

  /** Says who holds the organisation's key from now on. */
  move(provider: string): Keys {
    return this.#call('POST', '/v1/keys/provider', payload.keysAnswer, { provider });
  }

  /** Destroys keys for good; the signed word that they are. */
  async shred(body: z.input<typeof payload.keyShredRequest>): Promise<Envelope> {
    return (await this.#call('POST', '/v1/keys/shred', payload.keyShredAnswer, body)).tombstone;
  }
}
