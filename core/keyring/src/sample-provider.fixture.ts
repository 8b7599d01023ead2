import { epochMs, newId, type AgentId, type ProviderId, type SiteId } from '@ringfence/base';
import type { Digest, Envelope, SigningKey } from '@ringfence/crypto/sign';
import {
  EVIDENCE_PREDICATE,
  IN_TOTO_STATEMENT,
  type EvidencePredicate,
  type KeyringChange,
  type StatementBody,
} from '@ringfence/protocol/statements';
import { HOUR_MS, type SampleOrganisation } from './sample-organisation.fixture.ts';
import { sampleAdmission, sampleMachine, type PaperSigners } from './sample-papers.fixture.ts';
import { signStatement } from './statement.ts';

export type AddAgent = Extract<KeyringChange, { kind: 'add-agent' }>;
type Changes<Name extends 'admission' | 'machine'> = Partial<StatementBody<Name>>;

/** Keys of a machine, and what it is called. */
export interface SampleMachine {
  readonly agent: AgentId;
  readonly site: SiteId;
  readonly signer: SigningKey;
  readonly keys: Pick<AddAgent, 'sign' | 'tls' | 'seal'>;
}

/** A provider with an authority of one tier, and the admitter and issuer that the organisation pins for it. */
export class SampleProvider {
  readonly sample: SampleOrganisation;
  readonly tier: 'secure-cloud' | 'community-cloud';
  readonly id: ProviderId;
  readonly site: SiteId;
  readonly authority: SigningKey;
  readonly admitter: SigningKey;
  readonly issuer: SigningKey;

  constructor(sample: SampleOrganisation, tier: 'secure-cloud' | 'community-cloud' = 'secure-cloud') {
    this.sample = sample;
    this.tier = tier;
    this.id = newId('provider', sample.rng);
    this.site = newId('site', sample.rng);
    this.authority = sample.key();
    this.admitter = sample.key();
    this.issuer = sample.key();
    sample.add({ kind: 'add-admitter', key: this.admitter.publicKey, tier });
    sample.add({ kind: 'add-evidence-issuer', key: this.issuer.publicKey, standards: ['iso27001', 'soc2'] });
  }

  machineKeys(): SampleMachine {
    const { sample, site } = this;
    const signer = sample.key();
    const keys = { sign: signer.publicKey, tls: sample.tls(), seal: sample.seal() };
    return { agent: newId('agent', sample.rng), site, signer, keys };
  }

  admission(change: Changes<'admission'> = {}, key = this.admitter): Envelope {
    return sampleAdmission({ ...this.#signers(2_000), admitter: key }, change);
  }

  machine({ agent, site, keys }: SampleMachine, change: Changes<'machine'> = {}, key = this.authority): Envelope {
    return sampleMachine({ ...this.#signers(1_000), authority: key }, { agent, site, ...keys }, change);
  }

  #signers(hours: number): PaperSigners {
    const { id: provider, tier, authority, admitter, sample } = this;
    const span = { from: sample.now, until: epochMs(sample.now + hours * HOUR_MS) };
    return { provider, tier, authority, admitter, ...span };
  }

  /** What adds `machine`, with good papers unless others are given. */
  adding(machine: SampleMachine, papers: Partial<NonNullable<AddAgent['admitted']>> = {}): AddAgent {
    const { agent, site, keys } = machine;
    return {
      kind: 'add-agent',
      agent,
      site,
      tier: this.tier,
      ...keys,
      allowProcess: false,
      jurisdictions: ['DE', 'US'],
      admitted: { admission: this.admission(), machine: this.machine(machine), ...papers },
    };
  }

  /** Adds a new machine. */
  join(): SampleMachine {
    const machine = this.machineKeys();
    this.sample.add(this.adding(machine));
    return machine;
  }

  evidence(change: Partial<EvidencePredicate> = {}, key = this.issuer): Envelope {
    const { sample, id: provider, site } = this;
    const predicate: EvidencePredicate = {
      standard: 'iso27001',
      grade: 'third-party',
      provider,
      sites: [site],
      from: epochMs(sample.now - 24 * HOUR_MS),
      until: epochMs(sample.now + 365 * 24 * HOUR_MS),
      ...change,
    };
    const subject = [{ name: 'certificate.pdf', digest: { sha256: 'ab'.repeat(32) as Digest } }];
    const statement = { _type: IN_TOTO_STATEMENT, subject, predicateType: EVIDENCE_PREDICATE, predicate } as const;
    return signStatement('evidence', { ...statement, subject }, [key]);
  }

  revocation(evidence: Digest, key = this.issuer): Envelope {
    return signStatement('evidence-revocation', { v: 1, evidence, reason: 'withdrawn', at: this.sample.now }, [key]);
  }
}
