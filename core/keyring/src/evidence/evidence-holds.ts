import type { EpochMs } from '@ringfence/base';
import type { Digest, Envelope } from '@ringfence/crypto/sign';
import { gradeAtLeast, type TierNeeds } from '@ringfence/policy';
import type { AgentEntry } from '../chain/entries.ts';
import type { Keyring } from '../chain/keyring.ts';
import { tryRead } from '../admission/open.ts';
import {
  judgeEvidence,
  revocationsByEvidence,
  type EvidenceClaim,
  type EvidenceFault,
  type EvidenceFile,
  type RevocationsByEvidence,
} from './read-evidence.ts';

const DAY_MS = 86_400_000;

/** Why a document does not count for one start. */
export type EvidenceReason =
  | EvidenceFault
  | 'provider'
  | 'site'
  | 'standard'
  | 'grade'
  | 'not-begun'
  | 'too-old'
  | 'ends-too-early';

/** One start: where, what is asked for, and from when until when it has to hold. */
export interface EvidenceDemand {
  readonly agent: Pick<AgentEntry, 'site' | 'admitted'>;
  readonly need: NonNullable<TierNeeds['evidence']>;
  readonly from: EpochMs;
  /** The latest end of the run and some time more, in milliseconds of the wall clock. */
  readonly until: number;
}

/** What becomes of a document: it counts, or not for these reasons. */
export interface JudgedDocument {
  readonly digest?: Digest | undefined;
  readonly reasons: readonly EvidenceReason[];
}

/**
 * Whether the documents show what a start asks for: every standard that is named, and where evidence is needed at all, at least one claim.
 * Without: `missing` are the standards that nothing shows, `documents` says of each why it does not count.
 */
export function evidenceHolds(
  { documents, revocations }: EvidenceFile,
  keyring: Keyring,
  demand: EvidenceDemand,
):
  | { readonly allow: true; readonly claims: readonly EvidenceClaim[] }
  | { readonly allow: false; readonly missing: readonly string[]; readonly documents: readonly JudgedDocument[] } {
  const claims: EvidenceClaim[] = [];
  const judged: JudgedDocument[] = [];
  const parsed = revocationsByEvidence(revocations);
  for (const document of documents) {
    const { claim, ...of } = judgeDocument(document, parsed, { keyring, demand });
    if (claim !== undefined) claims.push(claim);
    judged.push(of);
  }
  const { require, any } = demand.need;
  const missing = require.filter((standard) => !claims.some((claim) => claim.standard === standard));
  if (missing.length === 0 && !(any && claims.length === 0)) return { allow: true, claims };
  return { allow: false, missing, documents: judged };
}

/** What is about other sites alone is looked at no further: its signature costs more than all the rest. */
function judgeDocument(
  document: Envelope,
  revocations: RevocationsByEvidence,
  { keyring, demand }: { keyring: Keyring; demand: EvidenceDemand },
): JudgedDocument & { readonly claim?: EvidenceClaim } {
  const read = tryRead('evidence', document);
  if (read === undefined) return { reasons: ['malformed'] };
  const { digest, claimed } = read;
  if (!claimed.predicate.sites.includes(demand.agent.site)) return { digest, reasons: ['site'] };
  const judged = judgeEvidence(read, revocations, keyring);
  if ('fault' in judged) return { digest, reasons: [judged.fault] };
  const reasons = reasonsAgainst(judged.claim, demand);
  return reasons.length === 0 ? { digest, reasons, claim: judged.claim } : { digest, reasons };
}

/** Everything that keeps a claim from counting; for grade, age and end the same rules as placement's. */
function reasonsAgainst(claim: EvidenceClaim, { agent, need, from, until }: EvidenceDemand): EvidenceReason[] {
  const holds: readonly (readonly [EvidenceReason, boolean])[] = [
    ['provider', claim.provider === agent.admitted?.provider],
    ['standard', need.require.length === 0 || need.require.includes(claim.standard)],
    ['grade', gradeAtLeast(claim.grade, need.grade)],
    ['not-begun', claim.from <= from],
    ['too-old', from - claim.from <= need.maxAgeDays * DAY_MS],
    ['ends-too-early', claim.until >= until],
  ];
  return holds.flatMap(([reason, held]) => (held ? [] : [reason]));
}
