import { rmSync } from 'node:fs';
import { errorFields, type Log } from '@ringfence/base';
import { ApiRefusal } from '@ringfence/client/api';
import { signStatement } from '@ringfence/keyring';
import type { Refusal } from '@ringfence/protocol/messages';
import type { Outcome } from '@ringfence/protocol/statements';
import type { LinkContext } from '../link/link-context.ts';
import { clearFolder } from '../machine/clear-folder.ts';
import { stoppedFact, toldFact } from './attempt-facts.ts';
import type { AttemptFolder } from './attempt-folder.ts';
import type { AttemptId } from './attempt-machine.ts';
import type { AttemptWork } from './attempt-work.ts';
import { untilRoom } from './until-room.ts';
import { isPassing, withCustodian } from './with-custodian.ts';

/** How an attempt ended. */
export interface AttemptEnding {
  readonly outcome: Outcome;
  readonly refusal?: Refusal | undefined;
}

const TELL_WITHIN_MS = 7 * 86_400_000;
/** The journal waits for a full disk too; a log is waited for no longer than this. */
const LOG_WITHIN_MS = 60_000;

/** Writes down that nothing of an attempt runs any more, and clears away what it used. */
export async function recordStopped(
  context: LinkContext,
  work: AttemptWork,
  ending: AttemptEnding,
  signal: AbortSignal,
): Promise<void> {
  const { fault, metrics, log } = context;
  clearAway(work, log);
  work.place?.release();
  work.releaseImage();
  await work.log?.drained(LOG_WITHIN_MS);
  await untilRoom(context, signal, () => work.close(context, ending.outcome));
  fault('stopped-before-journal');
  await context.record(stoppedFact(work.id, ending.outcome, ending.refusal));
  fault('stopped-after-journal');
  metrics.ended(ending.outcome);
  log.info('attempt.ended', {
    ...work.id,
    status: ending.outcome,
    ...(ending.refusal === undefined ? {} : { reason: ending.refusal }),
  });
}

/**
 * Tells the custodian, then the control plane: in this order, since the control plane places the next attempt at once and the custodian
 * grants it only when it knows that this one is over.
 */
export async function tellStopped(
  context: LinkContext,
  id: AttemptId,
  { outcome, refusal }: AttemptEnding,
  options: { kept: AttemptFolder; signal: AbortSignal },
): Promise<void> {
  const { link, identity, clock, log, record, fault } = context;
  const body = {
    v: 1,
    org: link.org,
    job: id.job,
    attempt: id.attempt,
    agent: link.agent,
    outcome,
    at: clock.now(),
  } as const;
  const stopped = signStatement('stopped', body, [identity.sign]);
  const within = { within: TELL_WITHIN_MS, signal: options.signal };
  try {
    await withCustodian(context, within, (custodian) => custodian.stopped(stopped));
  } catch (error) {
    // The custodian's no: it never granted this attempt. What cannot be told for another reason is told after the next start.
    if (!(error instanceof ApiRefusal) || isPassing(error)) throw error;
    log.info('stopped.not-taken', { ...id, ...errorFields(error) });
  }
  fault('stopped-after-told');
  await record(toldFact(id, outcome, refusal));
  rmSync(options.kept.commitPath, { force: true });
}

/** What cannot be cleared away is cleared by the next start; the attempt is over all the same. */
function clearAway({ id, folder }: AttemptWork, log: Log): void {
  try {
    if (folder !== undefined) clearFolder(folder);
  } catch (error) {
    log.error('attempt.not-cleared', { ...id, ...errorFields(error) });
  }
}
