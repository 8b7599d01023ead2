import type { Readable } from 'node:stream';
import type { MemberId } from '@ringfence/base';
import * as payload from '@ringfence/protocol/payload';
import type { z } from 'zod';
import type { CustodianCall } from './key-calls.ts';

/** Asks one route of a custodian for a stream of bytes. */
export type CustodianStream = (path: string) => Promise<Readable>;

/** The part of the custodian's API that is about how long data is kept, how it is taken out and how it is erased. */
export class DataCalls {
  readonly #call: CustodianCall;
  readonly #stream: CustodianStream;

  constructor(call: CustodianCall, stream: CustodianStream) {
    this.#call = call;
    this.#stream = stream;
  }

  /** How long data and logs are kept. */
  async retention(): Promise<payload.RetentionRow[]> {
    return (await this.#call('GET', '/v1/retention', payload.retentionAnswer)).rules;
  }

  async setRetention(body: z.input<typeof payload.retentionRequest>): Promise<payload.RetentionRow[]> {
    return (await this.#call('POST', '/v1/retention', payload.retentionAnswer, body)).rules;
  }

  erase(body: z.input<typeof payload.erasureRequest>): Promise<payload.ErasureAnswer> {
    return this.#call('POST', '/v1/erasures', payload.erasureAnswer, body);
  }

  /** Erases what is known of a person whose devices have left the keyring. */
  eraseMember(member: MemberId): Promise<z.output<typeof payload.memberErasureAnswer>> {
    return this.#call('POST', `/v1/members/${member}/erase`, payload.memberErasureAnswer, {});
  }

  /** Signed reports of what was erased, the newest first. */
  async erasures(): Promise<z.output<typeof payload.erasuresAnswer>['erasures']> {
    return (await this.#call('GET', '/v1/erasures', payload.erasuresAnswer)).erasures;
  }

  /** Everything that the organisation has there, or what concerns one member, a JSON object a line; the last one signs the others. */
  exported(member?: MemberId): Promise<Readable> {
    return this.#stream(member === undefined ? '/v1/export' : `/v1/export?member=${member}`);
  }
}
