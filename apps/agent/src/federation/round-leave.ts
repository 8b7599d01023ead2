import { errorFields } from '@ringfence/base';
import type { RoundAnswer, RoundReport } from '@ringfence/protocol/payload';
import type { AttemptWork } from '../attempt/attempt-work.ts';
import { withCustodian } from '../attempt/with-custodian.ts';
import type { LinkContext } from '../link/link-context.ts';
import type { FederationTerms } from './round/federation-terms.ts';

/** A custodian that restarts is back by then; one that is away longer takes its client out of the round. */
const ASK_WITHIN_MS = 20_000;
const TELL_WITHIN_MS = 600_000;

/** How an attempt asks its custodian about rounds, and tells it what came of them. */
export interface RoundCalls {
  /** Undefined where the custodian cannot be reached. */
  readonly leave: (round: number, signal: AbortSignal) => Promise<RoundAnswer | undefined>;
  readonly report: (round: number, report: RoundReport) => void;
}

/** The calls of an attempt under a contract. */
export function roundCalls(
  context: LinkContext,
  { id, cancelling }: Pick<AttemptWork, 'id' | 'cancelling'>,
  { digest }: Pick<FederationTerms, 'digest'>,
): RoundCalls {
  const { log } = context;
  return {
    leave: (round, signal) =>
      withCustodian(context, { within: ASK_WITHIN_MS, signal }, (custodian) =>
        custodian.federations.round(digest, { ...id, round }),
      ).catch((error: unknown) => {
        if (signal.aborted) throw error;
        log.warn('federation.no-leave', { ...id, ...errorFields(error) });
        return undefined;
      }),
    report: (round, report) =>
      void withCustodian(context, { within: TELL_WITHIN_MS, signal: cancelling.signal }, (custodian) =>
        custodian.federations.report(digest, { ...id, round, report }),
      ).catch((error: unknown) => log.warn('federation.not-reported', { ...id, ...errorFields(error) })),
  };
}
