import type { EpochMs } from '@ringfence/base';
import type { Decision } from '../decision.ts';
import { quorumOf } from './officers.ts';
import {
  LOOK_COUNTS_MS,
  LOOK_EVERY_MS,
  PROPOSAL_LIFE_MS,
  type Actor,
  type Proposal,
  type ProposalCommand,
  type ProposalContext,
  type ProposalEvent,
  type ProposalRefusal,
} from './proposal.ts';
import { checkAssurance } from './step-up.ts';

/** The next state and what to do. */
export interface ProposalStep {
  readonly state: Proposal;
  readonly commands: readonly ProposalCommand[];
}

type Stepped = Decision<ProposalRefusal, ProposalStep>;
type Tell = Extract<ProposalCommand, { type: 'tell' }>['what'];

/** A proposal to carry out what has `digest`; who proposes agrees by it, and has to be as sure as who agrees later. */
export function propose(by: Actor, digest: string, context: ProposalContext): Stepped {
  const { now } = context;
  const empty: Proposal = {
    phase: 'collecting',
    digest,
    approvals: [],
    expiresAt: (now + PROPOSAL_LIFE_MS) as EpochMs,
    waitedMs: 0,
    lookedAt: now,
    endedAs: null,
  };
  const refused = mayApprove(by, context);
  if (refused !== undefined) return { allow: false, reasons: [refused] };
  return settle({ ...empty, approvals: [approvalOf(by)] }, context, [tell('proposed')]);
}

/**
 * One step of something that takes two people. Approvals count while who gave them is an officer and under no lock; with one officer left it
 * waits, with another one come meanwhile it collects again. Refused events leave the state as it was. The process looks at every open
 * proposal when it starts and when officers or locks change: what was ready is then to be carried out again.
 */
export function stepProposal(state: Proposal, event: ProposalEvent, context: ProposalContext): Stepped {
  if (state.phase === 'done' || state.phase === 'ended') return { allow: false, reasons: ['over'] };
  switch (event.type) {
    case 'approved':
      return approve(state, event, context);
    case 'objected':
      return object(state, event, context);
    case 'looked':
      return settle(state, context, []);
    case 'taken':
      return take(state, event, context);
  }
}

function approve(
  state: Proposal,
  { by, digest }: Extract<ProposalEvent, { type: 'approved' }>,
  context: ProposalContext,
): Stepped {
  const refused = digest === state.digest ? mayApprove(by, context) : 'other-digest';
  if (refused !== undefined) return { allow: false, reasons: [refused] };
  const again = state.approvals.some(({ member, device }) => member === by.member && device === by.device);
  if (again) return settle(state, context, []);
  return settle({ ...state, approvals: [...state.approvals, approvalOf(by)] }, context, [tell('approved')]);
}

function object(
  state: Proposal,
  { owner, by }: Extract<ProposalEvent, { type: 'objected' }>,
  { officers }: ProposalContext,
): Stepped {
  const officer = officers.some(({ device, member, locked }) => isSame(by, { device, member }) && !locked);
  if (!owner && !officer) return { allow: false, reasons: ['may-not-object'] };
  return { allow: true, state: { ...state, phase: 'ended', endedAs: 'objected' }, commands: [tell('objected')] };
}

/** Judged anew with the officers of this moment: one who was locked since it became ready has agreed to nothing. */
function take(
  state: Proposal,
  { digest }: Extract<ProposalEvent, { type: 'taken' }>,
  context: ProposalContext,
): Stepped {
  if (digest !== state.digest) return { allow: false, reasons: ['other-digest'] };
  const settled = settle(state, context, []);
  if (!settled.allow || state.phase !== 'ready' || settled.state.phase !== 'ready')
    return { allow: false, reasons: ['not-ready'] };
  return { allow: true, state: { ...settled.state, phase: 'done' }, commands: [tell('done')] };
}

/** The phase that follows from who agrees, who is an officer and what time it is. */
function settle(state: Proposal, context: ProposalContext, before: readonly ProposalCommand[]): Stepped {
  const { now, officers, requirement } = context;
  if (now >= state.expiresAt && state.phase !== 'waiting') {
    return { allow: true, state: { ...state, phase: 'ended', endedAs: 'expired' }, commands: [tell('expired')] };
  }
  const { needed, lone } = quorumOf(officers, requirement.people);
  const agreeing = new Set(
    state.approvals
      .filter((given) => officers.some((officer) => isSame(given, officer) && !officer.locked))
      .map(({ member }) => member),
  );
  const enough = agreeing.size >= needed;
  if (!enough) {
    const fresh: Proposal = { ...state, phase: 'collecting', waitedMs: 0, lookedAt: now };
    return { allow: true, state: fresh, commands: [...before, lookAgain(state.expiresAt - now)] };
  }
  const delayMs = lone ? delayOf(context) : 0;
  return delayMs === 0 || state.phase === 'ready' ? ready(state, now, before) : wait(state, delayMs, { now, before });
}

function ready(state: Proposal, now: EpochMs, before: readonly ProposalCommand[]): Stepped {
  const told = state.phase === 'ready' ? [] : [tell('ready')];
  const commands: readonly ProposalCommand[] = [...before, ...told, { type: 'carry-out', digest: state.digest }];
  return { allow: true, state: { ...state, phase: 'ready', lookedAt: now }, commands };
}

function wait(
  state: Proposal,
  delayMs: number,
  { now, before }: { readonly now: EpochMs; readonly before: readonly ProposalCommand[] },
): Stepped {
  const began = state.phase !== 'waiting';
  const passed = began ? 0 : Math.min(LOOK_COUNTS_MS, Math.max(0, now - state.lookedAt));
  const waitedMs = began ? 0 : state.waitedMs + passed;
  // Whoever waited so long has a day to see it carried out.
  const expiresAt = Math.max(state.expiresAt, now + delayMs - waitedMs + 86_400_000) as EpochMs;
  const waiting: Proposal = { ...state, phase: 'waiting', waitedMs, lookedAt: now, expiresAt };
  if (waitedMs >= delayMs) return ready(waiting, now, before);
  const remainingMs = delayMs - waitedMs;
  const half = !began && state.waitedMs < delayMs / 2 && waitedMs >= delayMs / 2;
  const told = began ? [tell('waiting', remainingMs)] : half ? [tell('half-waited', remainingMs)] : [];
  const again = lookAgain(Math.min(LOOK_EVERY_MS, remainingMs));
  return { allow: true, state: waiting, commands: [...before, ...told, again] };
}

function delayOf({ now, newestWordAt, foundedAt, loneOfficer }: ProposalContext): number {
  const age = Math.max(now, newestWordAt) - foundedAt;
  return age >= 0 && age < loneOfficer.foundingMs ? 0 : loneOfficer.delayMs;
}

function mayApprove(by: Actor, { officers, requirement, rules, now }: ProposalContext): ProposalRefusal | undefined {
  const officer = officers.find((known) => isSame(by, known));
  if (officer === undefined) return 'not-an-officer';
  if (officer.locked) return 'locked';
  const assured = checkAssurance(requirement, { person: true, factors: by.factors }, { now, rules });
  return assured.allow ? undefined : 'step-up';
}

function isSame(a: Pick<Actor, 'device' | 'member'>, b: Pick<Actor, 'device' | 'member'>): boolean {
  return a.device === b.device && a.member === b.member;
}

function approvalOf({ device, member }: Actor): Proposal['approvals'][number] {
  return { device, member };
}

function lookAgain(inMs: number): ProposalCommand {
  return { type: 'look-again', inMs };
}

function tell(what: Tell, remainingMs?: number): ProposalCommand {
  return remainingMs === undefined ? { type: 'tell', what } : { type: 'tell', what, remainingMs };
}
