import { errorFields, type EpochMs } from '@ringfence/base';
import type { ControlPlaneClient } from '@ringfence/client/api';
import type { CustodianClient } from '@ringfence/client/custodian';
import type { LockView, Notice } from '@ringfence/protocol/api';
import type { ProposalView } from '@ringfence/protocol/payload';
import { momentText } from '../placement/moment-text.ts';
import { progressText } from '../proposals/proposal-text.ts';

/** Something that waits at the custodian for a second officer, or for a lone one's delay. */
interface WaitingNotice extends Omit<Notice, 'about'> {
  readonly about:
    | { readonly kind: 'waits'; readonly proposal: string }
    | { readonly kind: 'waits'; readonly lock: string };
}

/** What this device's member is told, by either process. */
export type ShownNotice = Notice | WaitingNotice;

/** The two processes that are asked. */
export interface NoticeSources {
  readonly controlPlane: Pick<ControlPlaneClient, 'notices'>;
  readonly custodian: Pick<CustodianClient, 'access' | 'locks'>;
}

/** What both processes tell this device, newest first; of a custodian that does not answer or permit it, why. */
export async function readNotices({
  controlPlane,
  custodian,
}: NoticeSources): Promise<{ readonly notices: ShownNotice[]; readonly silent: object }> {
  const [own, proposals, locks] = await Promise.allSettled([
    controlPlane.notices(),
    custodian.access.proposals(),
    custodian.locks.list(),
  ]);
  if (own.status === 'rejected') throw own.reason;
  const waiting = [
    ...(proposals.status === 'fulfilled' ? proposals.value.flatMap(ofProposal) : []),
    ...(locks.status === 'fulfilled' ? locks.value.flatMap(ofLock) : []),
  ];
  const refused = proposals.status === 'rejected' ? String(errorFields(proposals.reason).code) : undefined;
  // What a role may not list is not for it.
  const silent = refused === undefined || refused === 'not-authorised' ? {} : { custodian: refused };
  return { notices: [...own.value, ...waiting].toSorted((one, other) => other.at - one.at), silent };
}

/** A notice as a line. */
export function noticeLine({ at, about, text }: ShownNotice): string {
  const until: EpochMs | null = 'until' in about ? about.until : null;
  return `${momentText(at)}  ${text}${until === null ? '' : ` (until ${momentText(until)})`}`;
}

function ofProposal(view: ProposalView): WaitingNotice[] {
  const { proposal, kind, phase, madeAt: at } = view;
  if (phase !== 'waiting' && phase !== 'collecting') return [];
  const text = `a change of ${kind} is proposed: ${progressText(view)}; read it with \`ringfence proposal show ${proposal}\`, say no with \`ringfence proposal object ${proposal}\``;
  return [{ id: `waits-${proposal}`, at, about: { kind: 'waits', proposal }, text }];
}

function ofLock({ lock, setAt: at, term, confirming, lifting }: LockView): WaitingNotice[] {
  return Object.entries({ confirm: confirming, lift: lifting }).flatMap(([wants, wish]) => {
    if (wish?.phase !== 'waiting' && wish?.phase !== 'collecting') return [];
    const text = `an officer wants to ${wants} ${lock} at the custodian; see \`ringfence lock ls\`, and lock or remove the device that agreed if its officer did not`;
    return [{ id: `waits-${lock}-${wants}-${term}`, at, about: { kind: 'waits', lock }, text }];
  });
}
