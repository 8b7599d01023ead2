import { fromUtf8 } from '@ringfence/base';
import type { JournalPoint } from '@ringfence/client/control-link';
import { openSealed } from '@ringfence/crypto/open';
import { checkGrant, checkGrantedProfile, checkPayload, refusalOf, type Admission } from '@ringfence/keyring';
import { grantPayload, type GrantPayload } from '@ringfence/protocol/payload';
import type { grantAnswer } from '@ringfence/protocol/payload';
import type { z } from 'zod';
import type { LinkContext } from '../link/link-context.ts';
import { grantedFact } from './attempt-facts.ts';
import { grantedFederation } from '../federation/granted-federation.ts';
import { markToSeal } from '../logs/log-to-seal.ts';
import type { AttemptWork } from './attempt-work.ts';
import { secretsOf } from './job-secrets.ts';
import { refusedFor } from './step-error.ts';
import { isPassing, withCustodian } from './with-custodian.ts';

type Answer = z.output<typeof grantAnswer>;

/** A lease lives for half a minute without its custodian. */
const WITHIN_MS = 20_000;

/** Shows the lease to the custodian and opens what it grants. Throws AttemptEnd. */
export async function askGrant(context: LinkContext, work: AttemptWork): Promise<void> {
  const { admission } = work;
  if (admission === undefined) throw new TypeError('only an admitted attempt asks');
  const { answer, point } = await context
    .oneGrantAtATime(async () => {
      context.fault('grant-before-request');
      const point = context.journal.point;
      const answer = await ask(context, work, point);
      context.custodianPoint = point;
      return { answer, point };
    })
    .catch((cause: unknown) => {
      throw refusedFor(isPassing(cause) ? 'custodian-unreachable' : 'grant-refused', [], cause);
    });
  context.fault('grant-after-answer');
  if (answer.result !== 'granted')
    throw refusedFor('grant-refused', [answer.result === 'refused' ? answer.reason : 'resume']);
  // Not awaited: if it is lost, the custodian asks where the journal stood.
  void context.record(grantedFact(work.id, point, answer.grant)).catch(() => {});
  const { keyring, clock } = context;
  const checked = checkGrant(answer.grant, admission, { keyring: keyring.keyring, now: clock.now() });
  if (!checked.allow) throw refusedFor(refusalOf(checked.reasons) ?? 'bad-grant', checked.reasons);
  const { secrets = [], ...payload } = await openPayload(context, admission, answer.payload);
  // At this level the files of one job lie open to others of the same user.
  if (payload.workload.identity !== undefined && work.level === 'process')
    throw refusedFor('isolation', ['identity-needs-sandbox']);
  work.federation = grantedFederation(context, payload);
  work.payload = payload;
  work.secrets = secretsOf(secrets);
  if (payload.workload.logs === 'sealed') markToSeal(work.kept, { org: context.link.org, project: payload.project });
}

async function ask(context: LinkContext, work: AttemptWork, journal: JournalPoint): Promise<Answer> {
  const { start, controlPlaneKeys } = work.leased;
  const request = { ...start, controlPlaneKeys, journal };
  const within = { within: WITHIN_MS, signal: work.cancelling.signal };
  const resume = context.custodianPoint ?? recordAt(context, 1);
  const first = await withCustodian(context, within, (custodian) => custodian.grant({ ...request, resume }));
  if (first.result !== 'resume') return first;
  const asked = recordAt(context, first.seq);
  return withCustodian(context, within, (custodian) => custodian.grant({ ...request, resume: asked }));
}

function recordAt({ journal }: LinkContext, seq: number): JournalPoint | null {
  const hash = journal.hashAt(seq);
  return hash === undefined ? null : { seq, hash };
}

async function openPayload(
  { identity, link }: LinkContext,
  admission: Admission,
  sealed: string,
): Promise<GrantPayload> {
  const { job, attempt } = admission.lease.body;
  const info = { purpose: 'grant', org: link.org, job, attempt } as const;
  let payload: GrantPayload;
  try {
    const opened = await openSealed(identity.seal, { info, aad: new Uint8Array() }, Buffer.from(sealed, 'base64'));
    payload = grantPayload.parse(JSON.parse(fromUtf8(opened)));
  } catch (cause) {
    throw refusedFor('bad-grant', ['payload-unreadable'], cause);
  }
  const checked = checkPayload(payload.workload, admission);
  if (!checked.allow) throw refusedFor(refusalOf(checked.reasons) ?? 'payload-mismatch', checked.reasons);
  const profiled = checkGrantedProfile(payload.profile, admission, payload.workload);
  if (!profiled.allow) throw refusedFor(refusalOf(profiled.reasons) ?? 'payload-mismatch', profiled.reasons);
  const mismatches = resolvedOtherwise(payload);
  if (mismatches.length > 0) throw refusedFor('payload-mismatch', mismatches);
  return payload;
}

/** The device signed which paths there are; the custodian only says what lies there. */
function resolvedOtherwise({ workload, mounts, outputs, secrets }: GrantPayload): string[] {
  const same = (a: readonly { path: string }[], b: readonly { path: string }[]): boolean =>
    JSON.stringify(a.map(({ path }) => path).toSorted()) === JSON.stringify(b.map(({ path }) => path).toSorted());
  const named = workload.secrets.toSorted().join();
  const given = (secrets ?? []).map(({ name }) => name).toSorted();
  return [
    ...(given.join() === named ? [] : ['secrets-differ']),
    ...(same(workload.mounts, mounts) ? [] : ['mounts-differ']),
    ...(same(workload.outputs, outputs) ? [] : ['outputs-differ']),
  ];
}
