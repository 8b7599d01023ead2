import { existsSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { isId, type JobId } from '@ringfence/base';
import { makeFolder, writeFileAtomic } from '@ringfence/base/platform';
import { idOf, sensitivity } from '@ringfence/protocol';
import { attemptView } from '@ringfence/protocol/payload';
import { z } from 'zod';
import type { AttemptId } from './attempt-machine.ts';

const about = z.strictObject({
  v: z.literal(1),
  org: idOf('org'),
  device: idOf('device'),
  sensitivity,
  view: attemptView,
});

/** Whose an attempt is, how strictly it is to be kept, and how it stands. */
export type AttemptAbout = z.infer<typeof about>;

/** What stays of an attempt when it is over: its log, its metrics and how it ended, in the state folder, for its owner. */
export class AttemptFolder {
  readonly #state: string;
  readonly id: AttemptId;

  constructor(state: string, { job, attempt }: AttemptId) {
    this.#state = state;
    this.id = { job, attempt };
  }

  get path(): string {
    return join(attemptsOf(this.#state), this.id.job, String(this.id.attempt));
  }

  get logPath(): string {
    return join(this.path, 'log.jsonl');
  }

  /** The attempt's metrics; see MetricFile. */
  get metricsPath(): string {
    return join(this.path, 'metrics.jsonl');
  }

  /** What the custodian is asked to commit, sealed at rest: it holds the keys of the results. */
  get commitPath(): string {
    return join(this.path, 'commit.sealed');
  }

  get about(): AttemptAbout | undefined {
    const path = join(this.path, 'about.json');
    if (!existsSync(path)) return undefined;
    return about.safeParse(JSON.parse(readFileSync(path, 'utf8'))).data;
  }

  make(): void {
    makeFolder(this.path);
  }

  write(value: AttemptAbout): void {
    this.make();
    writeFileAtomic(join(this.path, 'about.json'), `${JSON.stringify(value)}\n`);
  }
}

/** Numbers of the attempts of `job` that are kept, lowest first. */
export function attemptsOfJob(state: string, job: JobId): readonly number[] {
  const folder = join(attemptsOf(state), job);
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .map(Number)
    .filter(Number.isSafeInteger)
    .toSorted((a, b) => a - b);
}

/** Drops what is kept of jobs beyond the newest `most`, unless they are in `live`. */
export function pruneAttempts(state: string, most: number, live: ReadonlySet<string>): void {
  const folder = attemptsOf(state);
  if (!existsSync(folder)) return;
  const jobs = readdirSync(folder)
    .filter((name) => isId('job', name) && !live.has(name))
    .map((name) => ({ name, at: statSync(join(folder, name)).mtimeMs }))
    .toSorted((a, b) => b.at - a.at);
  for (const { name } of jobs.slice(most)) rmSync(join(folder, name), { recursive: true, force: true });
}

function attemptsOf(state: string): string {
  return join(state, 'attempts');
}
