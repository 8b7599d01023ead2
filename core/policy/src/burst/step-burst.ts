import type { EpochMs, OfferId } from '@ringfence/base';
import type { Decision } from '../decision.ts';
import { ledgerAt, reserve, settle, type BudgetRefusal } from './budget-ledger.ts';
import type { AttemptAway, BurstCommand, BurstEvent, BurstState, OfferInUse } from './burst-state.ts';
import type { BurstTerms } from './burst-terms.ts';

/** A provider has so long to sign what it deleted before the machine is given back without. */
export const DELETION_WAIT_MS = 86_400_000;

/** The next state and what to do. */
export interface BurstStep {
  readonly state: BurstState;
  readonly commands: readonly BurstCommand[];
}

type Placed = Extract<BurstEvent, { type: 'placed' }>;

/**
 * One step of burst and return. Only `placed` can be refused, with the state as it was: then the placement must not happen. What does not
 * concern the state (a repeated message, an attempt that is not away) changes nothing.
 */
export function stepBurst(
  state: BurstState,
  event: BurstEvent,
  terms: BurstTerms,
): Decision<BudgetRefusal | 'most-at-once', BurstStep> {
  if (event.type === 'placed') return takePlaced(state, event, terms);
  return { allow: true, ...stepOther(state, event, terms) };
}

function stepOther(state: BurstState, event: Exclude<BurstEvent, Placed>, terms: BurstTerms): BurstStep {
  switch (event.type) {
    case 'looked':
      return look(state, event, terms);
    case 'checkpointed':
      return moveIfReturning(state, event, terms);
    case 'ended':
      return end(state, event);
    case 'deletion-signed':
      return note(state, event, { deletionSigned: true });
    case 'keys-shredded':
      return note(state, event, { keysShredded: true });
    default:
      return event satisfies never;
  }
}

function takePlaced(state: BurstState, event: Placed, terms: BurstTerms): ReturnType<typeof stepBurst> {
  const { job, attempt, offer, price, maxDurationMs, movable, now } = event;
  if (state.away.length >= terms.mostAtOnce) return { allow: false, reasons: ['most-at-once'] };
  const coveredMs = maxDurationMs + terms.overheadMs;
  const reserved = reserve(state.ledger, terms.budget, { job, attempt, price, coveredMs, now });
  if (!reserved.allow) return reserved;
  const away: AttemptAway = { job, attempt, offer, since: now, movable, moving: false };
  const known = state.offers.find((each) => each.offer === offer);
  const jobs = [...new Set([...(known?.jobs ?? []), job])];
  // Data is there again: whatever was signed or shredded before is not about it.
  const fresh = { emptiedAt: null, deletionSigned: false, keysShredded: false };
  const used: OfferInUse = { offer, phase: 'used', jobs, ...fresh };
  const offers = [...state.offers.filter((each) => each.offer !== offer), used];
  const next = { ...state, away: [...state.away, away], offers, ledger: reserved.ledger };
  return { allow: true, state: next, commands: [] };
}

function look(
  state: BurstState,
  { now, pressure }: Extract<BurstEvent, { type: 'looked' }>,
  terms: BurstTerms,
): BurstStep {
  const looks = state.row.pressure === pressure ? state.row.looks + 1 : 1;
  const ledger = ledgerAt(state.ledger, terms.budget, now);
  const seen: BurstState = { ...state, row: { pressure, looks }, ledger };
  const overdue = releaseDue(seen, now);
  const turned = turnGate(overdue.state, now, terms);
  return { state: turned.state, commands: [...overdue.commands, ...turned.commands] };
}

function turnGate(state: BurstState, now: EpochMs, terms: BurstTerms): BurstStep {
  const { gate, changedAt, row } = state;
  // Infinite before the first change: there is nothing to cool down from.
  const since = changedAt === null ? Infinity : now - changedAt;
  if (gate === 'closed' && row.pressure === 'high' && row.looks >= terms.highLooks && since >= terms.cooldownMs)
    return open(state, now);
  if (gate === 'open' && row.pressure === 'low' && row.looks >= terms.lowLooks && since >= terms.minLifetimeMs)
    return close(state, now);
  return { state, commands: [] };
}

function open(state: BurstState, now: EpochMs): BurstStep {
  const back = state.offers.filter(({ phase }) => phase === 'cordoned').map(({ offer }) => offer);
  const offers = state.offers.map((each) => (each.phase === 'cordoned' ? { ...each, phase: 'used' as const } : each));
  return {
    state: { ...state, gate: 'open', changedAt: now, offers },
    commands: [{ type: 'open' }, ...back.map((offer) => ({ type: 'uncordon' as const, offer }))],
  };
}

function close(state: BurstState, now: EpochMs): BurstStep {
  let next: BurstState = { ...state, gate: 'closed', changedAt: now };
  const commands: BurstCommand[] = [{ type: 'close' }];
  for (const { offer, phase } of state.offers) {
    if (phase !== 'used') continue;
    commands.push({ type: 'cordon', offer });
    const step = emptyIfDone(changeOffer(next, offer, { phase: 'cordoned' }), offer, now);
    next = step.state;
    commands.push(...step.commands);
  }
  return { state: next, commands };
}

function moveIfReturning(
  state: BurstState,
  { job, attempt, now }: Extract<BurstEvent, { type: 'checkpointed' }>,
  terms: BurstTerms,
): BurstStep {
  const found = state.away.find((each) => each.job === job && each.attempt === attempt);
  const cordoned = state.offers.some(({ offer, phase }) => offer === found?.offer && phase === 'cordoned');
  if (found === undefined || !cordoned || !found.movable || found.moving) return { state, commands: [] };
  if (now - found.since < terms.minLifetimeMs) return { state, commands: [] };
  const away = state.away.map((each) => (each === found ? { ...each, moving: true } : each));
  return { state: { ...state, away }, commands: [{ type: 'move', job, attempt }] };
}

function end(state: BurstState, { job, attempt, now }: Extract<BurstEvent, { type: 'ended' }>): BurstStep {
  const found = state.away.find((each) => each.job === job && each.attempt === attempt);
  const settled = settle(state.ledger, { job, attempt, endedAt: now });
  if (found === undefined || settled === undefined) return { state, commands: [] };
  const away = state.away.filter((each) => each !== found);
  return giveBack({ ...state, away, ledger: settled.ledger }, found.offer, now);
}

/** Also what a job without a home used while the gate is closed goes back after it. */
function giveBack(state: BurstState, offer: OfferId, now: EpochMs): BurstStep {
  const idle = !state.away.some((each) => each.offer === offer);
  const used = state.offers.some((each) => each.offer === offer && each.phase === 'used');
  if (state.gate === 'open' || !idle || !used) return emptyIfDone(state, offer, now);
  const emptied = emptyIfDone(changeOffer(state, offer, { phase: 'cordoned' }), offer, now);
  return { state: emptied.state, commands: [{ type: 'cordon', offer }, ...emptied.commands] };
}

function note(
  state: BurstState,
  { offer, now }: { readonly offer: OfferId; readonly now: EpochMs },
  change: Partial<Pick<OfferInUse, 'deletionSigned' | 'keysShredded'>>,
): BurstStep {
  const found = state.offers.find((each) => each.offer === offer);
  // A word about an offer on which jobs run again is about those before.
  if (found?.phase !== 'emptied') return { state, commands: [] };
  return releaseDue(changeOffer(state, offer, change), now);
}

/** A cordoned offer on which nothing is alive any more: its provider deletes, the custodian destroys the keys. */
function emptyIfDone(state: BurstState, offer: OfferId, now: EpochMs): BurstStep {
  const found = state.offers.find((each) => each.offer === offer);
  if (found?.phase !== 'cordoned' || state.away.some((each) => each.offer === offer)) return { state, commands: [] };
  const { jobs } = found;
  return {
    state: changeOffer(state, offer, { phase: 'emptied', emptiedAt: now }),
    commands: [
      { type: 'ask-deletion', offer, jobs },
      { type: 'shred-keys', offer, jobs },
    ],
  };
}

function releaseDue(state: BurstState, now: EpochMs): BurstStep {
  const due = state.offers.filter(
    ({ phase, emptiedAt, deletionSigned, keysShredded }) =>
      phase === 'emptied' && keysShredded && (deletionSigned || now - (emptiedAt ?? now) >= DELETION_WAIT_MS),
  );
  const commands = due.map(({ offer, deletionSigned }) => ({
    type: 'release' as const,
    offer,
    deletion: deletionSigned ? ('signed' as const) : ('missing' as const),
  }));
  return { state: { ...state, offers: state.offers.filter((each) => !due.includes(each)) }, commands };
}

function changeOffer(state: BurstState, offer: OfferId, change: Partial<OfferInUse>): BurstState {
  return { ...state, offers: state.offers.map((each) => (each.offer === offer ? { ...each, ...change } : each)) };
}
