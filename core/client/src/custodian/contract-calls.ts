import type { OrgId } from '@ringfence/base';
import type { Digest, Envelope } from '@ringfence/crypto/sign';
import type { ContractFile } from '@ringfence/protocol/federation';
import * as payload from '@ringfence/protocol/payload';
import type { z } from 'zod';
import type { CustodianCall } from './key-calls.ts';

type Answer<Schema extends z.ZodType> = Promise<z.output<Schema>>;

/** The part of the custodian's API that is about contracts with other organisations. */
export class ContractCalls {
  readonly #call: CustodianCall;

  constructor(call: CustodianCall) {
    this.#call = call;
  }

  /** The contracts that this organisation has signed, the newest first. */
  async list(): Promise<payload.ContractRow[]> {
    return (await this.#call('GET', '/v1/contracts', payload.contractsAnswer)).contracts;
  }

  /** One contract with its signatures and keyrings. */
  get(contract: Digest): Answer<typeof payload.contractAnswer> {
    return this.#call('GET', `/v1/contracts/${contract}`, payload.contractAnswer);
  }

  /** Keeps a contract that a device of this organisation has signed, or more signatures of it. */
  keep(file: ContractFile): Answer<typeof payload.contractAnswer> {
    return this.#call('POST', '/v1/contracts', payload.contractAnswer, { file });
  }

  /** What others need to know of this organisation to draft a contract with it. */
  offer(body: payload.ContractOfferRequest): Answer<typeof payload.contractOfferAnswer> {
    return this.#call('POST', '/v1/contracts/offer', payload.contractOfferAnswer, body);
  }

  /** What people here call peers. */
  async peers(): Promise<payload.PeerName[]> {
    return (await this.#call('GET', '/v1/peers', payload.peersAnswer)).peers;
  }

  /** Calls a peer `name` from now on. */
  async namePeer(org: OrgId, name: string): Promise<void> {
    await this.#call('POST', '/v1/peers', payload.peersAnswer, { org, name });
  }

  /** Hands in a party's signed withdrawal. */
  withdraw(contract: Digest, withdrawal: Envelope): Answer<typeof payload.contractAnswer> {
    return this.#call('POST', `/v1/contracts/${contract}/withdraw`, payload.contractAnswer, { withdrawal });
  }
}
