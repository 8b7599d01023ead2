import { durationMs, type AgentId, type Clock, type EpochMs, type OrgId, type Rng } from '@ringfence/base';
import type { LinkPeer } from '@ringfence/client/payload-link';
import {
  CertifyingKey,
  issueNamedCertificate,
  readNamedCertificate,
  type NamedCertificate,
  type TlsPublicKey,
} from '@ringfence/crypto/certificate';
import type { agentCertificateAnswer } from '@ringfence/protocol/payload';
import type { z } from 'zod';
import { CustodianError } from '../custodian-error.ts';
import type { CustodianKeys } from '../identity/custodian-keys.ts';
import type { RecordEvent } from '../ledger/record-event.ts';
import type { CustodianStore } from '../store/open-store.ts';

interface Parts {
  readonly store: CustodianStore;
  readonly keys: Pick<CustodianKeys, 'id' | 'sign'>;
  readonly clock: Clock;
  readonly rng: Rng;
  readonly record: RecordEvent;
}

/** How long an agent's certificate is good for. */
export const LIFETIME_MS = durationMs(3_600_000);

/**
 * Certificates of agents. The keyring says whose key it is; a certificate, that this custodian found so within the hour. Only this custodian asks
 * for them, so its own key signs them, and nobody has to be told which one that is.
 */
export class AgentCertificates {
  readonly #parts: Parts;
  readonly #by: CertifyingKey;
  /** Agents that were given one at any time. */
  readonly #certified = new Set<AgentId>();
  /** What the certificate of each open link says. */
  readonly #read = new WeakMap<LinkPeer, { readonly says: NamedCertificate | undefined }>();

  constructor(parts: Parts) {
    this.#parts = parts;
    this.#by = CertifyingKey.derive(parts.keys.sign);
  }

  /** Reads who was given one; to be called before anybody is checked. */
  async load(org: OrgId): Promise<void> {
    const rows = await this.#parts.store.withOrg(
      org,
      (tx) => tx.selectFrom('certified_agent').select('agent').execute(),
      { readOnly: true },
    );
    for (const { agent } of rows) this.#certified.add(agent);
  }

  /** A certificate for the key that an agent's link has just proven; nothing else is asked. From its first one on, the agent has to show one. */
  async issue(org: OrgId, agent: AgentId, key: TlsPublicKey): Promise<z.input<typeof agentCertificateAnswer>> {
    const { keys, clock, rng } = this.#parts;
    const certificate = await issueNamedCertificate(this.#by, {
      name: nameOf(org, agent),
      key,
      issuer: keys.id,
      lifetime: LIFETIME_MS,
      clock,
      rng,
    });
    if (!this.#certified.has(agent)) await this.#note(org, agent);
    return { certificate, lifetimeMs: LIFETIME_MS };
  }

  /**
   * Throws CustodianError `certificate-lapsed` for an agent whose link was opened without a certificate of this custodian that names it and holds
   * now. An agent that was never given one shows itself by its key alone, as all did before there were any.
   */
  check(org: OrgId, { id, peer }: { readonly id: AgentId; readonly peer: LinkPeer }, now: EpochMs): void {
    const says = this.#saidBy(peer);
    const holds = says !== undefined && says.name === nameOf(org, id) && says.from <= now && now < says.until;
    if (holds || (says === undefined && !this.#certified.has(id))) return;
    throw new CustodianError('certificate-lapsed', 'the agent shows no certificate that holds', {
      next: 'it asks for the next one by itself; an agent of an earlier release asks for none: see docs/identity.md',
    });
  }

  /** The TLS handshake has proven the key that the certificate carries, and the keyring whose it is. */
  #saidBy(peer: LinkPeer): NamedCertificate | undefined {
    const known = this.#read.get(peer);
    if (known !== undefined) return known.says;
    const says = peer.certificate && readNamedCertificate(this.#by, peer.certificate);
    this.#read.set(peer, { says });
    return says;
  }

  async #note(org: OrgId, agent: AgentId): Promise<void> {
    await this.#parts.store.withOrg(org, async (tx) => {
      const first = await tx
        .insertInto('certified_agent')
        .values({ org, agent, at: this.#parts.clock.now() })
        .onConflict((conflict) => conflict.doNothing())
        .returning('agent')
        .executeTakeFirst();
      if (first !== undefined) await this.#parts.record(tx, org, { type: 'agent-certified', agent });
    });
    this.#certified.add(agent);
  }
}

function nameOf(org: OrgId, agent: AgentId): string {
  return `ringfence://${org}/agent/${agent}`;
}
