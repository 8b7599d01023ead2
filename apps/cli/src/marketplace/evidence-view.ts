import { formatDuration, type EpochMs } from '@ringfence/base';
import { statementDigest, type Envelope } from '@ringfence/crypto/sign';
import { readEvidence, readStatement, type EvidenceFault, type Keyring } from '@ringfence/keyring';
import { momentText } from '../placement/moment-text.ts';

/** Whether a document counts now, by the keyring and the clock. */
export type EvidenceState = 'counts' | 'not-begun' | 'ended' | EvidenceFault;

/** What to do about a document that does not count. */
export const NEXT_BY_STATE: Readonly<Record<Exclude<EvidenceState, 'counts'>, string>> = {
  'not-begun': 'wait until it begins, or check this machine’s clock',
  ended: 'ask its issuer for evidence that goes on',
  malformed: 'take the file as `ringfence evidence issue` wrote it',
  issuer: '`ringfence keyring ls` says who may issue what; `ringfence keyring add-issuer` lets somebody',
  revoked: 'ask its issuer for other evidence: what was taken back never counts again',
};

/** What a document says, and whether that counts now; of one that does not read, its digest alone. */
export function evidenceView(
  now: EpochMs,
  keyring: Keyring,
  { document, revocations }: { document: Envelope; revocations: readonly Envelope[] },
) {
  const read = readEvidence(document, revocations, keyring);
  const digest = statementDigest(document);
  if ('fault' in read && read.fault === 'malformed') return { digest, state: read.fault };
  // What a document says that counts no more is shown all the same: its state says that.
  const claim = 'fault' in read ? readStatement('evidence', document).claimed.predicate : read.claim;
  const { standard, grade, provider, sites, from, until } = claim;
  const ends = until > now ? `in ${formatDuration(until - now)}` : 'ended';
  const state = 'fault' in read ? read.fault : spanState({ from, until }, now);
  return { digest, state, standard, grade, provider, sites, from, until, ends };
}

function spanState({ from, until }: { from: EpochMs; until: EpochMs }, now: EpochMs): EvidenceState {
  if (until <= now) return 'ended';
  return now < from ? 'not-begun' : 'counts';
}

/** The row of a document in a list: digest, standard, grade, provider, end, state. */
export function evidenceCells({ digest, state, ...said }: ReturnType<typeof evidenceView>): string[] {
  const short = digest.slice(0, 12);
  if (said.standard === undefined) return [short, '-', '-', '-', '-', state];
  const { standard, grade, provider, until } = said;
  return [short, standard, grade, provider ?? 'own sites', momentText(until).slice(0, 10), state];
}
