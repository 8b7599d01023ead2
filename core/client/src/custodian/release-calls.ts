import type { ReleaseId } from '@ringfence/base';
import type { Envelope } from '@ringfence/crypto/sign';
import * as payload from '@ringfence/protocol/payload';
import type { z } from 'zod';
import type { CustodianCall } from './key-calls.ts';

type Answer<Schema extends z.ZodType> = Promise<z.output<Schema>>;

/** The part of the custodian's API that is about what owners of data release. */
export class ReleaseCalls {
  readonly #call: CustodianCall;

  constructor(call: CustodianCall) {
    this.#call = call;
  }

  /** Asks the owners of the data to release objects. */
  request(body: z.input<typeof payload.releaseRequest>): Answer<typeof payload.releaseRow> {
    return this.#call('POST', '/v1/releases', payload.releaseRow, body);
  }

  /** Requests and standing rules. */
  list(): Answer<typeof payload.releasesAnswer> {
    return this.#call('GET', '/v1/releases', payload.releasesAnswer);
  }

  /** One request; with `preview` the keys of its objects, where this device may look. */
  review(request: ReleaseId, { preview }: { preview: boolean }): Answer<typeof payload.reviewAnswer> {
    return this.#call('GET', `/v1/releases/${request}${preview ? '?preview=1' : ''}`, payload.reviewAnswer);
  }

  /** Hands in an owner's signed decision. */
  decide(request: ReleaseId, decision: 'approve' | 'refuse', statement: Envelope): Answer<typeof payload.releaseRow> {
    return this.#call('POST', `/v1/releases/${request}/${decision}`, payload.releaseRow, { statement });
  }

  /** Hands in an owner's signed standing rule. */
  addRule(statement: Envelope): Answer<typeof payload.releasesAnswer> {
    return this.#call('POST', '/v1/release-rules', payload.releasesAnswer, { statement });
  }

  /** Hands in an owner's signed word that a release or rule ends. */
  end(statement: Envelope): Answer<typeof payload.releasesAnswer> {
    return this.#call('POST', '/v1/release-ends', payload.releasesAnswer, { statement });
  }

  /** Whether a device may be shown the log or the metrics of an attempt; agents ask. */
  opening(body: z.input<typeof payload.openingRequest>): Answer<typeof payload.openingAnswer> {
    return this.#call('POST', '/v1/openings', payload.openingAnswer, body);
  }
}
