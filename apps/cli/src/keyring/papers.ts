import { formatDuration, type EpochMs } from '@ringfence/base';
import type { AgentEntry } from '@ringfence/keyring';
import { momentText } from '../placement/moment-text.ts';

/** By whose word a machine away from home may start work, and for how long. */
export interface Papers {
  readonly provider: string;
  readonly from: EpochMs;
  readonly until: EpochMs;
}

/** The part of its time that papers have left when it is time for new ones. */
const RENEW_WITHIN = 1 / 4;

/** The papers of a machine as the keyring has them; undefined for one of the organisation's own. */
export function papersOf({ admitted }: AgentEntry): Papers | undefined {
  if (admitted === undefined) return undefined;
  const { provider, from, until } = admitted;
  return { provider, from, until };
}

/** Until which day papers hold, and that they have ended where they have; a dash for a machine at home. */
export function papersText(papers: Papers | null | undefined, now: EpochMs): string {
  if (papers === null || papers === undefined) return '-';
  const day = momentText(papers.until).slice(0, 10);
  return papers.until <= now ? `${day} (ended)` : day;
}

/** What a warning about papers says: that they have ended, or that a quarter of their time is left; undefined while they are good. */
export function papersWarning({ from, until }: Papers, now: EpochMs): string | undefined {
  if (until <= now) return `ended ${momentText(until).slice(0, 10)}: it starts nothing`;
  if (now < from) return `begin ${momentText(from).slice(0, 10)}: it starts nothing before`;
  return until - now < (until - from) * RENEW_WITHIN ? `end in ${formatDuration(until - now)}` : undefined;
}
