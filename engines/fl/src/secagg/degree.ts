import { FlError } from '../fl-error.ts';
import { logTail } from './hypergeometric.ts';
import { membersWithAggregator, MOST_ATTEMPTS, type Round } from './round.ts';

/** How many neighbours each client has, and how many of them have to answer for one of its seeds. */
export interface Degree {
  readonly neighbours: number;
  readonly threshold: number;
  /** Whether everybody is everybody's neighbour: then no graph is drawn. */
  readonly complete: boolean;
}

/** For whom a degree is chosen. */
export interface DegreeQuestion {
  readonly clients: number;
  /** Parts of the clients that may collude with the aggregator, and that may drop out. */
  readonly corrupt: number;
  readonly dropout: number;
  /** So many collude at the least, whatever part of the clients that is. */
  readonly colluders?: number;
}

/** Up to here everybody is everybody's neighbour. */
export const COMPLETE_UP_TO = 50;
const MOST_NEIGHBOURS = 400;
// One more draw of the graph for every attempt that a colluder can have.
const LOG_PRIVACY_FAILS = -40 * Math.LN2 - Math.log(MOST_ATTEMPTS);
const LOG_ROUND_FAILS = -20 * Math.LN2;

/**
 * The least degree that is safe against an aggregator that colludes with a part of the clients and lies to the others (Bell, Bonawitz, Gascón, Lepoint, Raykova 2020):
 * for every client, with c of its k neighbours colluding, 2t > k + c; the honest survivors stay connected; and t neighbours are left after the dropouts. Fails for
 * privacy with at most 2^−40, for the round with 2^−20, over all clients and attempts. Throws FlError `unsafe-degree` where there is none.
 */
export function degreeFor(question: DegreeQuestion): Degree {
  const { clients } = question;
  const sparse = clients > COMPLETE_UP_TO ? sparseDegree(question) : undefined;
  const degree = sparse ?? (clients <= MOST_NEIGHBOURS + 1 ? completeDegree(question) : undefined);
  if (degree === undefined)
    throw new FlError('unsafe-degree', 'no number of neighbours is safe with so many who collude or drop out', {
      next: 'lower `corrupt` or `dropout` in the contract',
    });
  return degree;
}

const chosen = new WeakMap<Round, Map<number, Degree>>();

/** {@link degreeFor} a roster of this round, worked out once. */
export function degreeOf(round: Round, clients: number): Degree {
  const known = chosen.get(round) ?? new Map<number, Degree>();
  chosen.set(round, known);
  const { corrupt, dropout } = round;
  // Whom the aggregator lets onto a roster is up to it: all of its own organisation may be there.
  const degree =
    known.get(clients) ?? degreeFor({ clients, corrupt, dropout, colluders: membersWithAggregator(round) });
  known.set(clients, degree);
  return degree;
}

function completeDegree({ clients, corrupt, dropout, colluders = 0 }: DegreeQuestion): Degree | undefined {
  const neighbours = clients - 1;
  const colluding = Math.min(neighbours, Math.max(Math.floor(corrupt * clients), colluders));
  const threshold = Math.floor((neighbours + colluding) / 2) + 1;
  const left = neighbours - Math.floor(dropout * clients);
  return threshold <= left ? { neighbours, threshold, complete: true } : undefined;
}

function sparseDegree(question: DegreeQuestion): Degree | undefined {
  for (let neighbours = 4; neighbours <= Math.min(MOST_NEIGHBOURS, question.clients - 2); neighbours += 2) {
    const most = mostThreshold(question, neighbours);
    const threshold = leastThreshold(question, neighbours, most);
    if (threshold !== undefined) return { neighbours, threshold, complete: false };
  }
  return undefined;
}

/** The highest t of which as many neighbours are left, but for 2^−20. */
function mostThreshold({ clients, dropout }: DegreeQuestion, neighbours: number): number {
  const draw = { population: clients - 1, marked: Math.ceil(dropout * clients), drawn: neighbours };
  let threshold = neighbours;
  while (threshold > 0 && Math.log(clients) + logTail(draw, neighbours - threshold + 1) > LOG_ROUND_FAILS)
    threshold -= 1;
  return threshold;
}

function leastThreshold(question: DegreeQuestion, neighbours: number, most: number): number | undefined {
  for (let threshold = neighbours / 2 + 1; threshold <= most; threshold += 1)
    if (isPrivate(question, neighbours, threshold)) return threshold;
  return undefined;
}

function isPrivate(
  { clients, corrupt, colluders = 0 }: DegreeQuestion,
  neighbours: number,
  threshold: number,
): boolean {
  const all = {
    population: clients - 1,
    marked: Math.min(clients - 1, Math.max(Math.ceil(corrupt * clients), colluders)),
  };
  // Somebody has so many colluding neighbours that both of its seeds can be had by telling two stories.
  const twoStories = Math.log(clients) + logTail({ ...all, drawn: neighbours }, 2 * threshold - neighbours);
  // The ring falls apart at two gaps, at whose edges colluders alone stand in for the honest half that is gone.
  const oneGap = Math.log(clients) + logTail({ ...all, drawn: neighbours / 2 }, threshold - neighbours / 2);
  const worse = Math.max(twoStories, 2 * oneGap);
  if (worse === -Infinity) return true;
  return worse + Math.log(Math.exp(twoStories - worse) + Math.exp(2 * oneGap - worse)) <= LOG_PRIVACY_FAILS;
}
