import type { AgentId, Clock, Log, OrgId } from '@ringfence/base';
import type { Envelope } from '@ringfence/crypto/sign';
import { checkWithdrawal, endsWithout } from '@ringfence/keyring';
import type { FederationTerms } from '../round/federation-terms.ts';

/** Who has withdrawn from a contract, by their own signed words, and whether that ends it. */
export class Withdrawals {
  readonly #terms: FederationTerms;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #withdrawn = new Set<OrgId>();
  readonly #ending = new AbortController();

  constructor({ terms, clock, log }: { terms: FederationTerms; clock: Clock; log: Log }) {
    this.#terms = terms;
    this.#clock = clock;
    this.#log = log;
  }

  /** Takes a party's word, whoever hands it on; the organisation whose it is where it is a new one that counts. */
  take(envelope: Envelope): OrgId | undefined {
    const { contract, held, digest } = this.#terms;
    const dataOwners = contract.clients.map(({ dataset }) => dataset.owner);
    const now = this.#clock.now();
    const checked = checkWithdrawal(envelope, digest, { keyrings: held.keyrings, dataOwners, now });
    if (!checked.allow) {
      this.#log.warn('federation.withdrawal-refused', { reason: checked.reasons.join() });
      return undefined;
    }
    const { org } = checked.withdrawal.body;
    if (this.#withdrawn.has(org)) return undefined;
    this.#withdrawn.add(org);
    if (this.areTheEnd) this.#ending.abort();
    return org;
  }

  /** Whether no round begins any more. */
  get areTheEnd(): boolean {
    const { contract } = this.#terms;
    return endsWithout(contract, this.#withdrawn, contract.aggregator.org);
  }

  /** Aborts when a withdrawal ends the federation. */
  get ending(): AbortSignal {
    return this.#ending.signal;
  }

  /** Clients whose organisations are still in it. */
  staying(): readonly AgentId[] {
    const { clients } = this.#terms.contract;
    return clients.flatMap(({ agent, org }) => (this.#withdrawn.has(org) ? [] : [agent]));
  }
}
