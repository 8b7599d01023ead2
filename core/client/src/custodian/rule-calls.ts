import type { Envelope } from '@ringfence/crypto/sign';
import * as payload from '@ringfence/protocol/payload';
import type { z } from 'zod';
import type { CustodianCall } from './key-calls.ts';

/** The part of the custodian's API that is about what officers sign: profiles and the policy. */
export class RuleCalls {
  readonly #call: CustodianCall;

  constructor(call: CustodianCall) {
    this.#call = call;
  }

  /** The newest version of every profile; the caller verifies them against the keyring. */
  async profiles(): Promise<payload.ProfileRow[]> {
    return (await this.#call('GET', '/v1/profiles', payload.profilesAnswer)).profiles;
  }

  async setProfile(statement: Envelope): Promise<payload.ProfileRow[]> {
    return (await this.#call('POST', '/v1/profiles', payload.profilesAnswer, { statement })).profiles;
  }

  /** The organisation's policy; the caller verifies it against the keyring. */
  async policy(): Promise<Envelope | null> {
    return (await this.#call('GET', '/v1/policy', payload.policyAnswer)).statement;
  }

  async setPolicy(statement: Envelope): Promise<void> {
    await this.#call('POST', '/v1/policy', payload.policyAnswer, { statement });
  }

  /** Which policies would forbid the deposit of a job. */
  async policiesAgainst(job: z.input<typeof payload.policyQuestion>): Promise<string[]> {
    return (await this.#call('POST', '/v1/policy/foretell', payload.policyForecast, job)).forbidden;
  }

  /** What would keep a text from being a policy. */
  async policyFaults(cedar: string, access?: string): Promise<string[]> {
    const texts = { cedar, ...(access === undefined ? {} : { access }) };
    return (await this.#call('POST', '/v1/policy/check', payload.policyCheckAnswer, texts)).faults;
  }
}
