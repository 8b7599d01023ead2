import type { JobId } from '@ringfence/base';
import type { Refusal } from '@ringfence/protocol/messages';
import type { AvoidanceReason } from '@ringfence/protocol/api';

/** The first avoidance is so long; each further one, until the offer does what it says, is twice as long as the one before. */
export const FIRST_AVOIDED_MS = 30_000;
/** No avoidance is longer: what went wrong may have been mended. */
export const MOST_AVOIDED_MS = 3_600_000;
/** So many attempts in a row that an agent would not run are more than bad luck. */
const MOST_STRIKES = 3;

/** What an offer did so far. */
export interface Conduct {
  /** Attempts in a row that its agent would not run. */
  readonly strikes: number;
  /** The job of the last of them. */
  readonly struckBy: JobId | null;
  /** How often in a row it was avoided. */
  readonly avoidances: number;
  /** It is avoided now: attempts that it was leased before say nothing more. */
  readonly avoided: boolean;
}

/** What an offer's agent did. */
export type ConductEvent =
  | { readonly kind: 'refused'; readonly job: JobId; readonly refusal: Refusal | undefined }
  | { readonly kind: 'began' }
  | { readonly kind: 'ignored-stop' | 'outlived-lease' };

/** How an offer stands afterwards, and for how long it is avoided from now on, if it is. */
export interface ConductStep extends Omit<Conduct, 'avoided'> {
  readonly avoid?: { readonly reason: AvoidanceReason; readonly forMs: number };
}

/** The word of a custodian, or about a job whose time or payload is the matter: no agent could have run it. */
const NOT_ITS_OWN: ReadonlySet<Refusal | undefined> = new Set([
  'custodian-unreachable',
  'grant-refused',
  'bad-grant',
  'job-expired',
  'attempt-not-new',
  'payload-mismatch',
  'data-changed',
]);
/** What an offer says there is. Another refusal counts once a job: the job may be what is wrong. */
const AGAINST_ITS_OFFER: ReadonlySet<Refusal | undefined> = new Set(['capacity', 'isolation', 'disk-full']);

/**
 * One step of an offer's conduct; undefined when nothing changes. Three attempts in a row that its agent would not run, a stop that it ignored,
 * or an attempt that outlived its lease, and the offer is avoided for a time that doubles, at most an hour; an attempt that begins clears all.
 */
export function stepConduct(conduct: Conduct, event: ConductEvent): ConductStep | undefined {
  const { strikes, struckBy, avoidances, avoided } = conduct;
  switch (event.kind) {
    case 'began':
      if (avoided || (strikes === 0 && avoidances === 0)) return undefined;
      return { strikes: 0, struckBy: null, avoidances: 0 };
    case 'refused': {
      if (avoided || NOT_ITS_OWN.has(event.refusal)) return undefined;
      if (struckBy === event.job && !AGAINST_ITS_OFFER.has(event.refusal)) return undefined;
      const struck = { strikes: Math.min(strikes + 1, MOST_STRIKES), struckBy: event.job, avoidances };
      return struck.strikes < MOST_STRIKES ? struck : avoid(struck, 'refuses');
    }
    case 'ignored-stop':
      return avoided ? undefined : avoid({ strikes, struckBy, avoidances }, 'ignores-stop');
    case 'outlived-lease':
      return avoided ? undefined : avoid({ strikes, struckBy, avoidances }, 'outlives-lease');
    default:
      return event satisfies never;
  }
}

function avoid(conduct: Omit<Conduct, 'avoided'>, reason: AvoidanceReason): ConductStep {
  const { avoidances } = conduct;
  const forMs = Math.min(MOST_AVOIDED_MS, FIRST_AVOIDED_MS * 2 ** avoidances);
  const most = Math.ceil(Math.log2(MOST_AVOIDED_MS / FIRST_AVOIDED_MS));
  return { ...conduct, avoidances: Math.min(avoidances + 1, most), avoid: { reason, forMs } };
}
