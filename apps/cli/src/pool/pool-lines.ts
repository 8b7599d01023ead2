import { formatDuration } from '@ringfence/base';
import type { PoolView } from '@ringfence/protocol/api';
import type { NameOf } from '../placement/explanation-lines.ts';
import { momentText } from '../placement/moment-text.ts';

/** Millionths of a currency's unit, for people. */
export function moneyText(microUnits: number, currency: string): string {
  return `${microUnits / 1_000_000} ${currency}`;
}

/** Where a pool is, for people. */
export function poolLines(view: PoolView, nameOf: NameOf): string[] {
  const { terms, budget, away, offers } = view;
  const { spent, reserved, left, microUnits, currency } = budget;
  const period = formatDuration(terms.budget.periodMs);
  return [
    gateLine(view),
    queueLine(view),
    `Budget   ${moneyText(microUnits, currency)} in ${period}: ${moneyText(spent, currency)} spent, ${moneyText(reserved, currency)} reserved, ${moneyText(left, currency)} left`,
    `Away     ${away.length} of ${terms.mostAtOnce} attempts`,
    ...away.map(
      ({ job, attempt, reserved: held, coveredUntil, moving }) =>
        `         ${job} attempt ${attempt}: ${moneyText(held, currency)} reserved until ${momentText(coveredUntil)}${moving ? ', on its way home' : ''}`,
    ),
    ...offers.map(
      (offer, place) => `${place === 0 ? 'Machines' : '        '} ${nameOf(offer.agent)}: ${stepText(offer)}`,
    ),
  ];
}

function gateLine({ gate, terms }: PoolView): string {
  const { state, changedAt, pressure, looks } = gate;
  const since = changedAt === null ? '' : ` since ${momentText(changedAt)}`;
  const next =
    state === 'open'
      ? `closes after ${terms.lowLooks} looks in a row at low, and no sooner than ${formatDuration(terms.minLifetimeMs)} after it opened`
      : `opens after ${terms.highLooks} looks in a row at high, and no sooner than ${formatDuration(terms.cooldownMs)} after it closed`;
  return `Gate     ${state}${since}; the last ${looks} looks: ${pressure}; ${next}`;
}

function queueLine({ queue, terms }: PoolView): string {
  const { waiting, mayBurst, longestWaitMs } = queue;
  const longest =
    mayBurst === 0 ? '' : `, longest wait ${longestWaitMs === null ? 'for ever' : formatDuration(longestWaitMs)}`;
  return `Queue    ${waiting} wait, ${mayBurst} of them may leave${longest} (high above ${formatDuration(terms.highWaitMs)}, low below ${formatDuration(terms.lowWaitMs)})`;
}

function stepText({ phase, jobs, deletionSigned, keysShredded }: PoolView['offers'][number]): string {
  const of = `${jobs} ${jobs === 1 ? 'job' : 'jobs'}`;
  if (phase === 'used') return `in use, ${of}`;
  if (phase === 'cordoned') return `returning: no new work, ${of} to finish or move`;
  const keys = keysShredded ? 'keys shredded' : 'keys to be shredded';
  return `returning: empty, ${deletionSigned ? 'deletion signed' : 'deletion asked for'}, ${keys}`;
}

/** What burst cost and saved, for people. */
export function costLines({ costs, budget, terms }: PoolView): string[] {
  const money = (microUnits: number): string => moneyText(microUnits, budget.currency);
  const { runs, homeMachines, homeHour, mostAwayAtOnce, couldNotLeave } = costs;
  return [
    `Period   ${momentText(costs.from)} to ${momentText(costs.until)}, of ${formatDuration(terms.budget.periodMs)}`,
    `Runs     ${runs} over, ${couldNotLeave} of them could not leave, or no machine away took them then; at most ${mostAwayAtOnce} away at once`,
    `Spent    ${money(costs.spent)} away from home; ${money(costs.hybrid)} with ${homeMachines} own machines at ${money(homeHour)} an hour`,
    `Market   all that may leave there: ${money(costs.allMarketplace)}, so ${savedText(costs.savedAgainstAllMarketplace, money)}`,
    `Private  own machines for all: ${money(costs.allPrivate)}, so ${savedText(costs.savedAgainstAllPrivate, money)}`,
    ...(homeHour === 0
      ? ['         what an own machine costs is not said (`ringfence pool set --home-cost`): it counts as nothing']
      : []),
  ];
}

function savedText(microUnits: number, money: (microUnits: number) => string): string {
  return microUnits < 0 ? `${money(-microUnits)} more were spent` : `${money(microUnits)} saved`;
}
