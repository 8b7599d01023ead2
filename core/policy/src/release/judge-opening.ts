import type { ArtifactId, DeviceId, EpochMs, JobId, OrgId } from '@ringfence/base';
import type {
  OpeningKind,
  OpeningReason,
  Recipients,
  ReleaseRuleStatement,
  ReleaseStatement,
} from '@ringfence/protocol/statements';
import type { Decision } from '../decision.ts';

/** Data that something was made of, and the devices whose word counts for it now. */
export interface Source {
  readonly id: ArtifactId | JobId;
  readonly owners: readonly DeviceId[];
}

/** Digest of a signed word. */
type WordId = ReleaseStatement['digests'][number];

/** A signed word that was not ended, and whose device is a member still. */
export type GivenWord = {
  readonly id: WordId;
  /** Of two words, the greater came later. */
  readonly seq: number;
} & (
  | { readonly kind: 'release'; readonly body: ReleaseStatement }
  /** `used`: how often it opened something. */
  | { readonly kind: 'rule'; readonly body: ReleaseRuleStatement; readonly used: number }
);

/** What is to be opened, and to whom. */
export interface WantedOpening {
  readonly kind: OpeningKind;
  /** Digest of the object's manifest; a stream has none. */
  readonly digest: WordId | undefined;
  /** Of the object; a stream has none. */
  readonly bytes: number | undefined;
  /** The job that made it. */
  readonly job: JobId | undefined;
  /** What that job was launched for. */
  readonly purpose: string | undefined;
  readonly org: OrgId;
  /** Undefined for callers who are no members: then only words for the whole organisation count. */
  readonly device: DeviceId | undefined;
}

/** Why a source stays closed. */
export interface ClosedSource {
  readonly source: Source['id'];
  readonly reason: OpeningReason;
}

/** The words that open it and until when all of them do; or each source that stays closed. */
export type OpeningDecision = Decision<ClosedSource, { readonly words: readonly WordId[]; readonly until: EpochMs }>;

/**
 * Whether every source has a word of an owner that opens this. The newest decision of an owner about the digest and whoever asks goes before
 * that owner's rules; a refusal by any owner of a source closes it for them. No source at all opens nothing (invariants 4, 8).
 */
export function judgeOpening(
  wanted: WantedOpening,
  { sources, words, now }: { sources: readonly Source[]; words: readonly GivenWord[]; now: EpochMs },
): OpeningDecision {
  const reasons: ClosedSource[] = [];
  const opening = new Map<WordId, EpochMs>();
  for (const source of sources) {
    const own = words.filter(({ body }) => source.owners.includes(body.device));
    const judged = judgeSource(wanted, source, own, now);
    if ('reason' in judged) reasons.push({ source: source.id, reason: judged.reason });
    else opening.set(judged.word.id, judged.word.body.notAfter);
  }
  const [first, ...rest] = opening.values();
  if (reasons.length > 0 || first === undefined) return { allow: false, reasons };
  const until = rest.reduce((least, each) => (each < least ? each : least), first);
  return { allow: true, words: [...opening.keys()], until };
}

type Judged = { readonly word: GivenWord } | { readonly reason: OpeningReason };

function judgeSource(wanted: WantedOpening, source: Source, own: readonly GivenWord[], now: EpochMs): Judged {
  const decisions = own.filter(
    (word): word is Extract<GivenWord, { kind: 'release' }> =>
      word.kind === 'release' && wanted.digest !== undefined && word.body.digests.includes(wanted.digest),
  );
  // What was decided about others' requests is another matter: two members who ask would undo each other.
  const aboutThem = decisions.filter(({ body }) => isRecipient(body.recipients, wanted));
  const newest = new Map<DeviceId, (typeof decisions)[number]>();
  for (const word of aboutThem.toSorted((a, b) => a.seq - b.seq)) newest.set(word.body.device, word);
  const last = [...newest.values()];
  if (last.some(({ body }) => body.decision === 'refused')) return { reason: 'refused' };
  const rules = own.flatMap((word) => (word.kind === 'rule' && isAbout(word.body, wanted, source) ? [word] : []));
  const tried = [
    ...last.map((word) => ({ word, fault: now >= word.body.notAfter ? ('expired' as const) : undefined })),
    ...rules.map((word) => ({ word, fault: ruleFault(wanted, word, now) })),
  ];
  const good = tried.find(({ fault }) => fault === undefined);
  if (good !== undefined) return { word: good.word };
  return { reason: tried.at(0)?.fault ?? (decisions.length > 0 ? 'other-recipient' : 'no-word') };
}

function isAbout({ scope }: ReleaseRuleStatement, { job }: WantedOpening, source: Source): boolean {
  return 'dataset' in scope ? scope.dataset === source.id : job !== undefined && scope.job === job;
}

function ruleFault(
  wanted: WantedOpening,
  { body, used }: Extract<GivenWord, { kind: 'rule' }>,
  now: EpochMs,
): OpeningReason | undefined {
  const { kinds, recipients, purposes, mostBytes, mostOpenings, notAfter } = body;
  if (now >= notAfter) return 'expired';
  if (!kinds.includes(wanted.kind)) return 'other-kind';
  if (!isRecipient(recipients, wanted)) return 'other-recipient';
  if (purposes !== undefined && (wanted.purpose === undefined || !purposes.includes(wanted.purpose)))
    return 'other-purpose';
  if (mostBytes !== undefined && (wanted.bytes === undefined || wanted.bytes > mostBytes)) return 'too-large';
  return mostOpenings !== undefined && used >= mostOpenings ? 'used-up' : undefined;
}

function isRecipient({ org, devices }: Recipients, wanted: WantedOpening): boolean {
  if (org !== wanted.org) return false;
  return devices === undefined || (wanted.device !== undefined && devices.includes(wanted.device));
}
