import type { EVIDENCE_GRADES, Isolation, Sensitivity, Tier } from './fields.ts';

/** One row of the table "Defaults by label" (design): what data of a sensitivity demands at the least. */
export interface LabelRule {
  readonly tiers: readonly Tier[];
  readonly isolation: Isolation;
  /** `process` will do on the organisation's own site whose owner started the agent with `--allow-process`. */
  readonly processAtHome: boolean;
  /** Grade of evidence about a site that is not the organisation's own. */
  readonly evidence?: (typeof EVIDENCE_GRADES)[number];
  /** Outside the organisation's own sites: a TEE, unless the data's owner accepted that the provider sees plaintext. */
  readonly teeAway: boolean;
  readonly egress: 'none' | 'declared';
  readonly burst: 'allowed' | 'never';
  readonly logs: 'local' | 'sealed';
}

/** What each sensitivity demands; a job may tighten, never loosen. */
export const LABEL_RULES: Readonly<Record<Sensitivity, LabelRule>> = {
  public: {
    tiers: ['private', 'secure-cloud', 'community-cloud'],
    isolation: 'sandbox',
    processAtHome: true,
    teeAway: false,
    egress: 'declared',
    burst: 'allowed',
    logs: 'sealed',
  },
  internal: {
    tiers: ['private', 'secure-cloud'],
    isolation: 'sandbox',
    processAtHome: true,
    evidence: 'documented',
    teeAway: false,
    egress: 'declared',
    burst: 'allowed',
    logs: 'sealed',
  },
  confidential: {
    tiers: ['private', 'secure-cloud'],
    isolation: 'container',
    processAtHome: false,
    evidence: 'third-party',
    teeAway: true,
    egress: 'none',
    burst: 'allowed',
    logs: 'sealed',
  },
  restricted: {
    tiers: ['private'],
    isolation: 'sandbox',
    processAtHome: false,
    teeAway: true,
    egress: 'none',
    burst: 'never',
    logs: 'local',
  },
};

/** Isolation that strangers' machines must give, whatever the label. */
export const COMMUNITY_ISOLATION: Isolation = 'gvisor';
/** How old evidence may be where a label asks for some and the job does not say. */
export const EVIDENCE_MAX_AGE_DAYS = 365;
