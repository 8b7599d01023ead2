import type { Digest } from '@ringfence/crypto/sign';
import * as payload from '@ringfence/protocol/payload';
import type { z } from 'zod';
import type { CustodianCall } from './key-calls.ts';

type Members = Promise<z.output<typeof payload.membersAnswer>>;

/** The part of the custodian's API that is about who may do what: members, what they show, what takes two of them. */
export class AccessCalls {
  readonly #call: CustodianCall;

  constructor(call: CustodianCall) {
    this.#call = call;
  }

  /** Everybody whose device the keyring names. */
  members(): Members {
    return this.#call('GET', '/v1/members', payload.membersAnswer);
  }

  /** Says whose a device is, or what its person is called. */
  nameMember(body: z.input<typeof payload.memberNaming>): Members {
    return this.#call('POST', '/v1/members', payload.membersAnswer, body);
  }

  /** Begins an authenticator of this device's member; its secret, in base32, is in this answer alone. */
  async beginTotp(): Promise<string> {
    return (await this.#call('POST', '/v1/factors/totp', payload.totpBegun, {})).secret;
  }

  /** Confirms it by its first code; recovery codes, in this answer alone. */
  async confirmTotp(code: string): Promise<string[]> {
    return (await this.#call('POST', '/v1/factors/totp/confirm', payload.totpConfirmed, { code })).recoveryCodes;
  }

  async removeTotp(): Promise<void> {
    await this.#call('POST', '/v1/factors/totp/remove', payload.factorRemoved, {});
  }

  /** Shows a code of an authenticator, or a recovery code, at this device. */
  stepUp(code: string): Promise<z.output<typeof payload.stepUpAnswer>> {
    return this.#call('POST', '/v1/step-up', payload.stepUpAnswer, { code });
  }

  /** The newest proposals. */
  async proposals(): Promise<payload.ProposalView[]> {
    return (await this.#call('GET', '/v1/proposals', payload.proposalsAnswer)).proposals;
  }

  /** Agrees to a proposal of a statement with this digest. */
  async approveProposal(proposal: string, digest: Digest): Promise<payload.ProposalView[]> {
    const path = `/v1/proposals/${encodeURIComponent(proposal)}/approve`;
    return (await this.#call('POST', path, payload.proposalsAnswer, { digest })).proposals;
  }

  async objectTo(proposal: string): Promise<payload.ProposalView[]> {
    const path = `/v1/proposals/${encodeURIComponent(proposal)}/object`;
    return (await this.#call('POST', path, payload.proposalsAnswer, {})).proposals;
  }

  /** What the roles say to each question; by `access` in place of what officers signed, where it is given. */
  async ask(questions: readonly payload.AccessQuestion[], access?: string): Promise<payload.AccessAnswer[]> {
    const body = { questions: [...questions], ...(access === undefined ? {} : { access }) };
    return (await this.#call('POST', '/v1/access', payload.accessAnswer, body)).answers;
  }
}
