import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { isId, type ProjectId } from '@ringfence/base';
import { writeFileAtomic } from '@ringfence/base/platform';
import { idOf } from '@ringfence/protocol';
import { SEALED_METRICS } from '@ringfence/protocol/payload';
import { z } from 'zod';
import { AttemptFolder, attemptsOfJob } from '../attempt/attempt-folder.ts';

const mark = z.strictObject({ org: idOf('org'), project: idOf('project') });

/** Of which organisation and project a log is that has still to be sealed. */
export type SealMark = z.infer<typeof mark>;

/** Notes that the log of an attempt goes to the custodian when it is over; the note stays until it is there. */
export function markToSeal(folder: AttemptFolder, of: { org: SealMark['org']; project: ProjectId }): void {
  folder.make();
  writeFileAtomic(pathOf(folder), JSON.stringify(of));
}

/** The note of an attempt, if there is one. */
export function sealMark(folder: AttemptFolder): SealMark | undefined {
  if (!existsSync(pathOf(folder))) return undefined;
  return mark.safeParse(JSON.parse(readFileSync(pathOf(folder), 'utf8'))).data;
}

/** The log is at the custodian. */
export function clearMark(folder: AttemptFolder): void {
  rmSync(pathOf(folder), { force: true });
}

/** Every attempt with a note, in no order. */
export function attemptsToSeal(state: string): readonly AttemptFolder[] {
  const folder = join(state, 'attempts');
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((name) => isId('job', name))
    .flatMap((job) => attemptsOfJob(state, job).map((attempt) => new AttemptFolder(state, { job, attempt })))
    .filter((attempt) => existsSync(pathOf(attempt)));
}

/** Where the copy of an attempt's metrics lies while it is sealed. */
export function sealedMetricsPath(folder: AttemptFolder): string {
  return join(folder.path, SEALED_METRICS);
}

function pathOf(folder: AttemptFolder): string {
  return join(folder.path, 'to-seal.json');
}
