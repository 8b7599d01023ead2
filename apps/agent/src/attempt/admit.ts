import { errorFields } from '@ringfence/base';
import { checkLease, refusalOf, type EvidenceFile } from '@ringfence/keyring';
import type { LinkContext } from '../link/link-context.ts';
import { chooseIsolation } from '../sandbox/index.ts';
import type { AttemptWork } from './attempt-work.ts';
import { refusedFor } from './step-error.ts';

/** A head of this age is fetched anew before a start, in milliseconds. */
const FRESH_MS = 900_000;

/**
 * Judges a lease by the statements that came with it and this agent's own copy of the keyring, then takes a place for it. Throws AttemptEnd
 * with the refusal; nothing was asked of anybody else by then.
 */
export async function admit(context: LinkContext, work: AttemptWork): Promise<void> {
  const { keyring, link, machine, clock } = context;
  if (clock.now() - keyring.headAt > FRESH_MS) await refresh(context);
  const decision = await decide(context, work);
  if (!decision.allow) throw refusedFor(refusalOf(decision.reasons) ?? 'bad-lease', decision.reasons);
  const { admission } = decision;
  const { resources } = admission.placement;
  const isolation = chooseIsolation(admission.receipt.body.chosen.isolation, machine.capabilities, {
    allowProcess: link.allowProcess && admission.agent.allowProcess,
    hardMemory: resources.hardLimits,
  });
  if (!isolation.allow)
    throw refusedFor(
      'isolation',
      isolation.reasons.map(({ code }) => code),
    );
  // A container has no driver libraries for the cards of its machine: the job would find none.
  if (resources.gpus !== undefined && (isolation.level === 'container' || isolation.level === 'gvisor'))
    throw refusedFor('isolation', ['no-gpu-in-containers']);
  // What runs here already keeps the rest of the disk.
  if (machine.disk.isFull()) throw refusedFor('disk-full');
  const place = await machine.places.take(resources);
  if (typeof place === 'string') throw refusedFor('capacity', [place]);
  work.admission = admission;
  work.level = isolation.level;
  work.place = place;
  work.open(context);
}

type Judged = ReturnType<typeof checkLease>;

/**
 * Judges, and again with what was lacking: evidence and the newest keyring are each fetched once at most, in either order, since a start
 * that stops at its signatures does not say yet that it needs evidence.
 */
async function decide(context: LinkContext, work: AttemptWork): Promise<Judged> {
  const had = { evidence: false, keyring: false };
  let evidence: EvidenceFile | undefined;
  for (;;) {
    const decision = judge(context, work, evidence);
    if (decision.allow) return decision;
    if (isShort(decision) && !had.evidence) {
      had.evidence = true;
      evidence = await fetchEvidence(context);
      if (evidence !== undefined) continue;
    }
    if (had.keyring) return decision;
    had.keyring = true;
    // A device that joined a minute ago is not in the copy yet.
    if (!(await refresh(context))) return decision;
  }
}

function judge(
  { keyring, link, machine, clock }: LinkContext,
  { leased }: AttemptWork,
  evidence?: EvidenceFile,
): Judged {
  return checkLease(leased.start, {
    keyring: keyring.keyring,
    head: keyring.head,
    seenHead: keyring.seen,
    controlPlane: { id: link.controlPlane.id, root: link.controlPlane.root },
    controlPlaneKeys: leased.controlPlaneKeys,
    agent: link.agent,
    highestAttempt: leased.highestBefore,
    now: clock.now(),
    jurisdictions: machine.jurisdictions.length === 0 ? undefined : machine.jurisdictions,
    evidence,
  });
}

/** Few starts need evidence: it is asked for only then, and afresh each time, so that a revocation is not missed. */
function isShort(decision: Judged): boolean {
  return !decision.allow && decision.reasons.includes('evidence-not-verified');
}

/** What the custodian keeps; it is judged here by the keyring. Nothing when the custodian cannot be reached. */
async function fetchEvidence({ custodian, log }: LinkContext): Promise<EvidenceFile | undefined> {
  try {
    const rows = await custodian.evidence();
    return {
      documents: rows.map(({ document }) => document),
      revocations: rows.flatMap(({ revocation }) => revocation ?? []),
    };
  } catch (error) {
    log.warn('evidence.not-fetched', errorFields(error));
    return undefined;
  }
}

/** Fetches the keyring; false when the custodian cannot be reached: then the copy at hand decides, and its age. */
async function refresh({ keyring, custodian, log }: LinkContext): Promise<boolean> {
  try {
    await keyring.refresh(custodian);
    return true;
  } catch (error) {
    log.warn('keyring.not-refreshed', errorFields(error));
    return false;
  }
}
