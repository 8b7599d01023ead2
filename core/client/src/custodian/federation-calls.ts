import type { Digest } from '@ringfence/crypto/sign';
import * as payload from '@ringfence/protocol/payload';
import type { z } from 'zod';
import type { CustodianCall } from './key-calls.ts';

type Body<Schema extends z.ZodType> = z.input<Schema>;
type Answer<Schema extends z.ZodType> = Promise<z.output<Schema>>;

/** The part of the custodian's API that is about federations, each by the digest of its contract. */
export class FederationCalls {
  readonly #call: CustodianCall;

  constructor(call: CustodianCall) {
    this.#call = call;
  }

  /** Asks for leave to join a round. */
  round(contract: Digest, body: Body<typeof payload.roundRequest>): Answer<typeof payload.roundAnswer> {
    return this.#call('POST', `/v1/federations/${contract}/rounds`, payload.roundAnswer, body);
  }

  /** Says what came of a round. */
  report(contract: Digest, body: Body<typeof payload.roundReportRequest>): Answer<typeof payload.roundReportAnswer> {
    return this.#call('POST', `/v1/federations/${contract}/reports`, payload.roundReportAnswer, body);
  }

  show(contract: Digest): Answer<typeof payload.federationAnswer> {
    return this.#call('GET', `/v1/federations/${contract}`, payload.federationAnswer);
  }

  /** Gives no leave from now on. */
  pause(contract: Digest): Answer<typeof payload.federationAnswer> {
    return this.#call('POST', `/v1/federations/${contract}/pause`, payload.federationAnswer, {});
  }

  resume(contract: Digest): Answer<typeof payload.federationAnswer> {
    return this.#call('POST', `/v1/federations/${contract}/resume`, payload.federationAnswer, {});
  }
}
