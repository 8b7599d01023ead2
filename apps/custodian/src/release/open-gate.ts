import { toBase64Url, type DeviceId, type JobId } from '@ringfence/base';
import { statementDigest, type Digest } from '@ringfence/crypto/sign';
import { signStatement } from '@ringfence/keyring';
import {
  judgeOpening,
  type GivenWord,
  type OpeningDecision,
  type Source,
  type WantedOpening,
} from '@ringfence/policy/release';
import type { OpeningKind, ReleaseReceipt } from '@ringfence/protocol/statements';
import { sql } from 'kysely';
import type { ClaimedOrganisation } from '../claim/claimed-organisation.ts';
import type { CustodianContext } from '../context.ts';
import { CustodianError } from '../custodian-error.ts';
import { openWorkload } from '../jobs/open-workload.ts';
import type { Tx } from '../store/open-store.ts';
import { mayRelease } from './dataset-owners.ts';
import { spendWords, wordsAbout } from './words.ts';

/** What somebody wants to see, and what it was made of. */
export interface GatedThing {
  /** Each has to be open: a sealed log has metrics in it. */
  readonly kinds: readonly OpeningKind[];
  /** What the receipt calls it. */
  readonly named: ReleaseReceipt['kind'];
  readonly job: JobId | undefined;
  readonly attempt?: number | undefined;
  readonly digest?: Digest | undefined;
  readonly bytes?: number | undefined;
  readonly sources: readonly Source[];
}

/** A log or metrics that the same device looks at again within this time of the first look are one opening. */
const ONE_OPENING_MS = 600_000;

/** What is looked at again and again while it is open; each command and each copy is an opening of its own. */
const GOES_ON: readonly GatedThing['named'][] = ['logs', 'metrics'];

/**
 * Whether the owners' words open a thing to a device, or to callers with a token; nothing is written down. With `spent` by those words alone,
 * each of which has counted this opening already.
 */
export async function judgeThing(
  context: CustodianContext,
  tx: Tx,
  claimed: ClaimedOrganisation,
  { thing, device, spent }: { thing: GatedThing; device: DeviceId | undefined; spent?: readonly Digest[] },
): Promise<{ readonly decision: OpeningDecision; readonly words: readonly GivenWord[] }> {
  const { org } = claimed;
  const { kinds, job, digest, bytes, sources } = thing;
  const scopes = [digest, job, ...sources.map(({ id }) => id)].filter((scope) => scope !== undefined);
  const kept = await wordsAbout(context, tx, scopes);
  const all = kept.filter(({ body }) => mayRelease(context, claimed, body.device));
  const words = spent === undefined ? all : all.filter(({ id }) => spent.includes(id)).map(beforeItCounted);
  const asksPurpose = words.some((word) => word.kind === 'rule' && word.body.purposes !== undefined);
  const purpose = asksPurpose && job !== undefined ? await purposeOf(context, tx, org, job) : undefined;
  const now = context.clock.now();
  const wanted: Omit<WantedOpening, 'kind'> = { digest, bytes, job, purpose, org, device };
  const decisions = kinds.map((kind) => judgeOpening({ ...wanted, kind }, { sources, words, now }));
  return { decision: allOf(decisions), words };
}

function beforeItCounted(word: GivenWord): GivenWord {
  return word.kind === 'rule' ? { ...word, used: word.used - 1 } : word;
}

function allOf(decisions: readonly OpeningDecision[]): OpeningDecision {
  const refused = decisions.find(({ allow }) => !allow);
  if (refused !== undefined) return refused;
  const allowed = decisions.flatMap((decision) => (decision.allow ? [decision] : []));
  const [first] = allowed;
  if (first === undefined) return { allow: false, reasons: [] };
  const until = allowed.reduce((least, each) => (each.until < least ? each.until : least), first.until);
  return { allow: true, words: [...new Set(allowed.flatMap(({ words }) => words))], until };
}

/**
 * Decides whether a thing is handed to a device, and writes the decision down with a signed receipt, in the caller's transaction: what is
 * handed out has its receipt first.
 */
export async function openThing(
  context: CustodianContext,
  tx: Tx,
  claimed: ClaimedOrganisation,
  asked: { thing: GatedThing; device: DeviceId | undefined },
): Promise<OpeningDecision> {
  const going = await goingOn(context, tx, claimed, asked);
  if (going !== undefined) return going;
  const { decision, words } = await judgeThing(context, tx, claimed, asked);
  const used = decision.allow ? decision.words : [];
  if (!decision.allow && (await seenAgain(context, tx, { ...asked, decision }))) return decision;
  const spent = await spendWords(
    tx,
    words.filter(({ id }) => used.includes(id)),
  );
  const final: OpeningDecision =
    spent || !decision.allow
      ? decision
      : { allow: false, reasons: asked.thing.sources.map(({ id }) => ({ source: id, reason: 'used-up' })) };
  await writeDown(context, tx, claimed, { ...asked, decision: final });
  return final;
}

/** What a receipt tells of a decision. */
type Decided =
  | Pick<Extract<OpeningDecision, { allow: true }>, 'allow' | 'words'>
  | Extract<OpeningDecision, { allow: false }>;

/** Writes down that something is open to a device, or to all, until the owner ends it; not again within {@link ONE_OPENING_MS}. */
export async function noteOpened(
  context: CustodianContext,
  tx: Tx,
  claimed: ClaimedOrganisation,
  { thing, device, words }: { thing: GatedThing; device: DeviceId | undefined; words: readonly Digest[] },
): Promise<void> {
  const decision = { allow: true, words } as const;
  if (await seenAgain(context, tx, { thing, device, decision })) return;
  await writeDown(context, tx, claimed, { thing, device, decision });
}

/** Throws what a device is told that may not have it. */
export function requireOpen(decision: OpeningDecision, next: string): void {
  if (decision.allow) return;
  const why = [...new Set(decision.reasons.map(({ reason }) => reason))].join(', ');
  throw new CustodianError(
    'not-released',
    `it is made of confidential or restricted data, and the owner of that has not released it to this device (${why})`,
    { next },
  );
}

/** The decision on a stream that was opened to the device a little while ago, while the words that opened it still do; it counts once. */
async function goingOn(
  context: CustodianContext,
  tx: Tx,
  claimed: ClaimedOrganisation,
  { thing, device }: { thing: GatedThing; device: DeviceId | undefined },
): Promise<OpeningDecision | undefined> {
  if (!GOES_ON.includes(thing.named)) return undefined;
  const now = context.clock.now();
  const before = await tx
    .selectFrom('opening')
    .select(['receipt', 'words'])
    .where('kind', '=', thing.named)
    .where('job', 'is not distinct from', thing.job ?? null)
    .where('device', 'is not distinct from', device ?? null)
    .where('decision', '=', 'opened')
    .where('at', '>', now - ONE_OPENING_MS)
    .orderBy('at', 'desc')
    .limit(1)
    .executeTakeFirst();
  if (before === undefined) return undefined;
  const { decision } = await judgeThing(context, tx, claimed, { thing, device, spent: before.words });
  if (!decision.allow) return undefined;
  await tx.updateTable('opening').set({ last_at: now }).where('receipt', '=', before.receipt).execute();
  return decision;
}

/** Whether this is what the same device was told a little while ago. */
async function seenAgain(
  { clock }: CustodianContext,
  tx: Tx,
  { thing, device, decision }: { thing: GatedThing; device: DeviceId | undefined; decision: Decided },
): Promise<boolean> {
  const words = decision.allow ? decision.words : [];
  const now = clock.now();
  const again = await tx
    .selectFrom('opening')
    .select('receipt')
    .where('kind', '=', thing.named)
    .where('job', 'is not distinct from', thing.job ?? null)
    .where('device', 'is not distinct from', device ?? null)
    .where('digest', 'is not distinct from', thing.digest ?? null)
    .where('decision', '=', decision.allow ? 'opened' : 'kept-closed')
    .where('words', '=', sql<readonly Digest[]>`${JSON.stringify(words)}::jsonb`)
    .where('last_at', '>', now - ONE_OPENING_MS)
    .orderBy('last_at', 'desc')
    .limit(1)
    .executeTakeFirst();
  if (again === undefined) return false;
  // One row: transactions that locked several in orders of their own would wait for each other.
  await tx.updateTable('opening').set({ last_at: now }).where('receipt', '=', again.receipt).execute();
  return true;
}

/** Writes a decision down with a signed receipt. */
export async function writeDown(
  context: CustodianContext,
  tx: Tx,
  { org }: ClaimedOrganisation,
  { thing, device, decision }: { thing: GatedThing; device: DeviceId | undefined; decision: Decided },
): Promise<void> {
  const { named: kind, digest, attempt } = thing;
  const [job, holder, at] = [thing.job ?? null, device ?? null, context.clock.now()];
  const words = decision.allow ? decision.words : [];
  const body: ReleaseReceipt = {
    v: 1,
    org,
    custodian: context.keys.id,
    kind,
    job,
    ...(attempt === undefined ? {} : { attempt }),
    ...(digest === undefined ? {} : { digest }),
    device: holder,
    decision: decision.allow ? 'opened' : 'kept-closed',
    words: [...words],
    reasons: decision.allow ? [] : decision.reasons.map((reason) => ({ ...reason })),
    salt: toBase64Url(context.rng.bytes(32)),
    at,
  };
  const envelope = signStatement('release-receipt', body, [context.keys.enrolment]);
  const receipt = statementDigest(envelope);
  await tx
    .insertInto('opening')
    .values({
      org,
      receipt,
      kind,
      job,
      device: holder,
      digest: digest ?? null,
      decision: body.decision,
      words: JSON.stringify(words),
      at,
      last_at: at,
      document: JSON.stringify(envelope),
    })
    .execute();
  const { decision: decided } = body;
  await context.record(tx, org, { type: 'opening-decided', kind, decision: decided, job, device: holder, receipt });
}

/** What a job was launched for; unknown once its workload's keys are destroyed, so that no rule for a purpose opens what it made. */
async function purposeOf(
  context: CustodianContext,
  tx: Tx,
  org: ClaimedOrganisation['org'],
  job: JobId,
): Promise<string | undefined> {
  const row = await tx.selectFrom('job').select('workload').where('job', '=', job).executeTakeFirst();
  if (row?.workload == null) return undefined;
  return (await openWorkload(context, org, job, row.workload))?.purpose;
}
