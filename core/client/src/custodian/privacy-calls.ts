import type { Envelope } from '@ringfence/crypto/sign';
import * as payload from '@ringfence/protocol/payload';
import type { z } from 'zod';
import type { CustodianCall } from './key-calls.ts';

type Body<Schema extends z.ZodType> = z.input<Schema>;
type Rows = Promise<payload.PrivacyRow[]>;

/** The part of the custodian's API that is about what may be lost of datasets, and what was. */
export class PrivacyCalls {
  readonly #call: CustodianCall;

  constructor(call: CustodianCall) {
    this.#call = call;
  }

  /** The account of one dataset, or of each that has one. */
  async status(name?: string): Rows {
    const query = name === undefined ? '' : `?name=${encodeURIComponent(name)}`;
    return (await this.#call('GET', `/v1/privacy${query}`, payload.privacyAnswer)).datasets;
  }

  async setBudget(body: Body<typeof payload.privacyBudgetRequest>): Rows {
    return (await this.#call('POST', '/v1/privacy/budgets', payload.privacyAnswer, body)).datasets;
  }

  /** Hands in a signed word that more may be lost, or of what was lost before a restore; the answer has every account. */
  async raiseBudget(statement: Envelope): Rows {
    return (await this.#call('POST', '/v1/privacy/raises', payload.privacyAnswer, { statement })).datasets;
  }

  async setContractOnly(body: Body<typeof payload.contractOnlyRequest>): Rows {
    return (await this.#call('POST', '/v1/privacy/contract-only', payload.privacyAnswer, body)).datasets;
  }
}
