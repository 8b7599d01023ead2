import * as payload from '@ringfence/protocol/payload';
import type { z } from 'zod';
import type { CustodianCall } from './key-calls.ts';

/** The part of the custodian's API that is about tokens of jobs. */
export class IdentityCalls {
  readonly #call: CustodianCall;

  constructor(call: CustodianCall) {
    this.#call = call;
  }

  /** Asks for a token for the attempt that this agent runs. */
  request(body: z.input<typeof payload.identityRequest>): Promise<z.output<typeof payload.identityAnswer>> {
    return this.#call('POST', '/v1/identities', payload.identityAnswer, body);
  }

  /** What tokens are checked with. */
  keys(): Promise<payload.IdentityKeys> {
    return this.#call('GET', '/v1/identities/keys', payload.identityKeys);
  }
}
