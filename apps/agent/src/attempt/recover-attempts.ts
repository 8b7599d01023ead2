import { existsSync } from 'node:fs';
import type { RecordKey } from '@ringfence/crypto/record';
import type { Outcome } from '@ringfence/protocol/statements';
import type { LinkContext } from '../link/link-context.ts';
import { clearFolder } from '../machine/clear-folder.ts';
import { attemptRoom } from '../machine/work-folder.ts';
import { forgetUpload } from '../outputs/upload-note.ts';
import { stoppedFact, type AttemptRecord } from './attempt-facts.ts';
import { AttemptFolder } from './attempt-folder.ts';
import { commit } from './commit-results.ts';
import { tellStopped, type AttemptEnding } from './end-attempt.ts';
import { untilRoom } from './until-room.ts';

/**
 * Brings to an end what an earlier process left: nothing of it runs any more. Results that were about to be committed are committed now,
 * since the custodian takes the same request twice as once; everything else is reported as interrupted or never started.
 */
export async function recoverAttempt(
  context: LinkContext,
  record: AttemptRecord,
  { key, signal }: { key: RecordKey; signal: AbortSignal },
): Promise<void> {
  const kept = new AttemptFolder(context.machine.state, record);
  forgetUpload(kept);
  clearFolder(attemptRoom(context.machine.folders, record));
  const ending: AttemptEnding = record.stopped ?? { outcome: await outcomeOf(context, record, kept, { key, signal }) };
  if (record.stopped === null) {
    await untilRoom(context, signal, () => closeView(context, kept, ending.outcome));
    await context.record(stoppedFact(record, ending.outcome));
  }
  const { job, attempt } = record;
  context.log.info('attempt.recovered', { job, attempt, status: ending.outcome });
  await tellStopped(context, record, ending, { kept, signal });
}

/** Whether it ran to its end, as far as the journal tells: then its upload may go on. */
export function isUploading({ started, committing, stopped }: AttemptRecord): boolean {
  return started && !committing && stopped === null;
}

async function outcomeOf(
  context: LinkContext,
  record: AttemptRecord,
  kept: AttemptFolder,
  { key, signal }: { key: RecordKey; signal: AbortSignal },
): Promise<Outcome> {
  if (record.committing && existsSync(kept.commitPath) && (await commit(context, kept, key, signal)))
    return 'succeeded';
  return record.started ? 'interrupted' : 'not-started';
}

function closeView({ clock }: LinkContext, kept: AttemptFolder, outcome: Outcome): void {
  const { about } = kept;
  if (about === undefined) return;
  kept.write({ ...about, view: { ...about.view, phase: 'ended', endedAt: clock.now(), outcome } });
}
