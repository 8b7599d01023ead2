import { errorFields, type Clock, type EpochMs } from '@ringfence/base';
import type { ControlPlaneClient } from '@ringfence/client/api';
import type { CustodianClient } from '@ringfence/client/custodian';
import { withDeadline } from '@ringfence/client/deadline';
import { foldKeyring } from '@ringfence/keyring';
import { PROPOSAL_LIFE_MS } from '@ringfence/policy/assurance';
import { mayLift } from '@ringfence/policy/locks';
import type { LockView, Notice } from '@ringfence/protocol/api';
import type { ProposalView } from '@ringfence/protocol/payload';
import type { Profile } from '../home/profile.ts';
import { momentText } from '../placement/moment-text.ts';
import { progressText } from '../proposals/proposal-text.ts';
import { shown } from '../terminal.ts';

/** Something that waits at the custodian for a second officer, or for a lone one's delay. */
interface WaitingNotice extends Omit<Notice, 'about'> {
  readonly about:
    | { readonly kind: 'waits'; readonly proposal: string }
    | { readonly kind: 'waits'; readonly lock: string };
}

/** What this device's member is told, by either process. */
export type ShownNotice = Notice | WaitingNotice;

/** The two processes that are asked, and by whom. */
export interface NoticeSources {
  readonly profile: Pick<Profile, 'orgRoot' | 'device'>;
  readonly controlPlane: Pick<ControlPlaneClient, 'notices'>;
  readonly custodian: Pick<CustodianClient, 'keyring' | 'access' | 'locks'>;
}

/** What was answered, newest first, and of a process that did not answer why. */
export interface ReadNotices {
  readonly notices: readonly ShownNotice[];
  readonly silent: Readonly<Partial<Record<'control-plane' | 'custodian', string>>>;
}

/** How long each process is waited for, in milliseconds; as long as its client waits without it. */
export interface Patience {
  readonly clock: Clock;
  readonly controlPlane: number;
  readonly custodian: number;
}

/** What both processes tell this device; what one alone tells where the other does not answer. Throws as the control plane where neither does. */
export async function readNotices(sources: NoticeSources, patience?: Patience): Promise<ReadNotices> {
  const [own, waiting] = await Promise.allSettled([
    within(patience, 'controlPlane', () => sources.controlPlane.notices()),
    within(patience, 'custodian', (signal) => readWaiting(sources, signal)),
  ]);
  if (own.status === 'rejected' && waiting.status === 'rejected') throw own.reason;
  const notices: ShownNotice[] = [
    ...(own.status === 'fulfilled' ? own.value : []),
    ...(waiting.status === 'fulfilled' ? waiting.value.notices : []),
  ];
  const failed = waiting.status === 'fulfilled' ? waiting.value.failed : reasonsOf([waiting]);
  // What a role may not list is not for it.
  const [custodian] = failed.filter((code) => code !== 'not-authorised');
  const [controlPlane] = reasonsOf([own]);
  return {
    notices: notices.toSorted((one, other) => other.at - one.at),
    silent: {
      ...(controlPlane === undefined ? {} : { 'control-plane': controlPlane }),
      ...(custodian === undefined ? {} : { custodian }),
    },
  };
}

/** A notice as one line; its words are a server's. */
export function noticeLine({ at, about, text }: ShownNotice): string {
  const until: EpochMs | null = 'until' in about ? about.until : null;
  const words = shown(text).replaceAll(/\s+/g, ' ');
  return `${momentText(at)}  ${words}${until === null ? '' : ` (until ${momentText(until)})`}`;
}

function within<T>(
  patience: Patience | undefined,
  process: 'controlPlane' | 'custodian',
  ask: (signal?: AbortSignal) => Promise<T>,
): Promise<T> {
  return patience === undefined ? ask() : withDeadline({ clock: patience.clock, within: patience[process] }, ask);
}

/** What waits for officers and owners; others have nothing to say to it. By the keyring: the control plane's word could hide it from an officer. */
async function readWaiting({ custodian, profile: { orgRoot, device } }: NoticeSources, signal?: AbortSignal) {
  const { statements } = await custodian.keyring(-1);
  signal?.throwIfAborted();
  const keyring = foldKeyring(statements, orgRoot);
  if (!keyring.isOfficer(device) && !mayLift(keyring.rolesOf(device))) return { notices: [], failed: [] };
  const [proposals, locks] = await Promise.allSettled([custodian.access.proposals(), custodian.locks.list()]);
  const notices = [
    ...(proposals.status === 'fulfilled' ? proposals.value.flatMap(ofProposal) : []),
    ...(locks.status === 'fulfilled' ? locks.value.flatMap(ofLock) : []),
  ];
  return { notices, failed: reasonsOf([proposals, locks]) };
}

function reasonsOf(results: readonly PromiseSettledResult<unknown>[]): string[] {
  return results.flatMap((result) => (result.status === 'rejected' ? [String(errorFields(result.reason).code)] : []));
}

function ofProposal(view: ProposalView): WaitingNotice[] {
  const { proposal, kind, phase, madeAt: at } = view;
  if (phase !== 'waiting' && phase !== 'collecting') return [];
  const text = `a change of ${kind} is proposed: ${progressText(view)}; read it with \`ringfence proposal show ${proposal}\`, say no with \`ringfence proposal object ${proposal}\``;
  return [{ id: `waits-${proposal}`, at, about: { kind: 'waits', proposal }, text }];
}

function ofLock({ lock, term, confirming, lifting }: LockView): WaitingNotice[] {
  return Object.entries({ confirm: confirming, lift: lifting }).flatMap(([wants, wish]) => {
    if (wish?.phase !== 'waiting' && wish?.phase !== 'collecting') return [];
    // The first officer's word, whenever the lock was set; a view says only when the wish for it lapses.
    const at = (wish.expiresAt - PROPOSAL_LIFE_MS) as EpochMs;
    const text = `an officer wants to ${wants} ${lock} at the custodian; see \`ringfence lock ls\`, and lock or remove the device that agreed if its officer did not`;
    return [{ id: `waits-${lock}-${wants}-${term}`, at, about: { kind: 'waits', lock }, text }];
  });
}
