import type { Isolation, Sensitivity, Tier } from '../fields.ts';
import type { Burst, EvidenceGrade, Logs } from './privacy-fields.ts';

/** What a label demands of every job that touches data under it; a job may tighten each line, never loosen one. */
export interface LabelDefaults {
  /** Where the job may run, and the least isolation there. */
  readonly isolation: Readonly<Partial<Record<Tier, Isolation>>>;
  /** L0 is enough on the organisation's own site whose owner started the agent with `--allow-process`. */
  readonly processOnOwnSite: boolean;
  readonly evidence: { readonly grade: EvidenceGrade; readonly issuer: 'any' | 'own-officer' } | undefined;
  /** Outside the own perimeter: a TEE, or a signed `accept_provider_plaintext`. */
  readonly teeOrAcceptedPlaintext: boolean;
  /** `declared`: the hosts that the job lists; `deny`: none. */
  readonly egress: 'declared' | 'deny';
  readonly logs: Logs;
  readonly burst: Burst;
}

/** The defaults of each label, the least strict first. */
export const LABEL_DEFAULTS: Readonly<Record<Sensitivity, LabelDefaults>> = {
  public: {
    isolation: { private: 'sandbox', 'secure-cloud': 'sandbox', 'community-cloud': 'gvisor' },
    processOnOwnSite: true,
    evidence: undefined,
    teeOrAcceptedPlaintext: false,
    egress: 'declared',
    logs: 'sealed',
    burst: 'allowed',
  },
  internal: {
    isolation: { private: 'sandbox', 'secure-cloud': 'sandbox' },
    processOnOwnSite: true,
    evidence: { grade: 'documented', issuer: 'any' },
    teeOrAcceptedPlaintext: false,
    egress: 'declared',
    logs: 'sealed',
    burst: 'allowed',
  },
  confidential: {
    isolation: { private: 'container', 'secure-cloud': 'container' },
    processOnOwnSite: false,
    evidence: { grade: 'third-party', issuer: 'any' },
    teeOrAcceptedPlaintext: true,
    egress: 'deny',
    logs: 'sealed',
    burst: 'allowed',
  },
  restricted: {
    isolation: { private: 'sandbox' },
    processOnOwnSite: false,
    evidence: { grade: 'documented', issuer: 'own-officer' },
    teeOrAcceptedPlaintext: false,
    egress: 'deny',
    logs: 'local',
    burst: 'never',
  },
};
