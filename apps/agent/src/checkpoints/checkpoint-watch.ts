import { join } from 'node:path';
import { errorFields, sleep, utf8 } from '@ringfence/base';
import type { AttemptWork } from '../attempt/attempt-work.ts';
import type { LaidOut } from '../attempt/lay-out.ts';
import type { LinkContext } from '../link/link-context.ts';
import { clearFolder } from '../machine/clear-folder.ts';
import type { Running } from '../sandbox/index.ts';
import { checkpointEvery } from './checkpoint-pace.ts';
import { checkpointPlace } from './checkpoint-place.ts';
import { copyCheckpoint } from './copy-checkpoint.ts';
import { lookAtFolder, stampOf, type SeenFile } from './look-at-folder.ts';
import { anyOpenForWriting } from './open-writers.ts';
import { uploadCheckpoint } from './upload-checkpoint.ts';

const LOOK_EVERY_MS = 1_000;
/** A long look costs the machine at most a tenth of its time. */
const LOOK_SHARE = 10;
const UPLOAD_EVERY_MS = 5_000;
const OPEN_LOOKS = 30;

/** Watches over the checkpoint of a running attempt. */
export interface CheckpointWatch {
  /**
   * The job has ended: keeps what is complete, unless nobody will need it. `asked`: it was asked to stop and ended by itself, so
   * what it left is taken at its word. Never rejects.
   */
  readonly end: (how: {
    readonly needed: boolean;
    readonly asked: boolean;
    readonly signal: AbortSignal;
  }) => Promise<void>;
}

/**
 * Takes the checkpoint of `work` each time that it is complete: nothing in the folder has changed for a second and no process of the job has
 * one of its files open for writing. What is taken is copied first, and dropped when it changed while it was.
 */
export function watchCheckpoint(
  context: LinkContext,
  work: AttemptWork,
  laidOut: LaidOut,
  running: Pick<Running, 'processes'>,
): CheckpointWatch | undefined {
  const place = work.payload === undefined ? undefined : checkpointPlace(work.payload);
  const root = place === undefined ? undefined : laidOut.outputs[place.output]?.hostPath;
  if (place === undefined || root === undefined || work.folder === undefined) return undefined;
  const watch = new Watch(context, work, { root, steps: place.steps, copy: join(work.folder, 'checkpoint'), running });
  const watching = watch.run();
  return {
    end: async ({ needed, asked, signal }) => {
      const letGo = watch.stop(needed ? signal : AbortSignal.abort());
      await watching;
      if (needed && !signal.aborted) await watch.last(asked);
      letGo();
    },
  };
}

interface Watched {
  readonly root: string;
  readonly steps: readonly string[];
  readonly copy: string;
  readonly running: Pick<Running, 'processes'>;
}

class Watch {
  readonly #context: LinkContext;
  readonly #work: AttemptWork;
  readonly #of: Watched;
  readonly #looking = new AbortController();
  readonly #uploading = new AbortController();
  /** What the custodian has. */
  #stored: string;
  #refused = false;
  #openLooks = 0;

  constructor(context: LinkContext, work: AttemptWork, of: Watched) {
    this.#context = context;
    this.#work = work;
    this.#of = of;
    // What an earlier attempt left is there already.
    this.#stored = stampOf(this.#look() ?? []);
  }

  async run(): Promise<void> {
    const { clock } = this.#context;
    const { signal } = this.#looking;
    let before = this.#stored;
    let pause = LOOK_EVERY_MS;
    while (!this.#refused) {
      await sleep(clock, pause, signal);
      if (signal.aborted) return;
      const begun = clock.monotonic();
      const files = this.#look();
      const stamp = files === undefined ? before : stampOf(files);
      pause = Math.max(LOOK_EVERY_MS, LOOK_SHARE * (clock.monotonic() - begun));
      const quiet = stamp === before && stamp !== this.#stored;
      before = stamp;
      if (!quiet || files === undefined) continue;
      if (anyOpenForWriting(this.#of.running.processes(), files)) {
        this.#tellOfOpenFile();
        continue;
      }
      const asked = clock.monotonic();
      await this.#keep(files, true);
      pause = Math.max(UPLOAD_EVERY_MS, checkpointEvery(this.#work, clock.monotonic() - asked) ?? 0);
    }
  }

  /** Looks no more; until the returned function is called, `signal` ends what is being uploaded. */
  stop(signal: AbortSignal): () => void {
    this.#looking.abort();
    const end = (): void => this.#uploading.abort();
    if (signal.aborted) end();
    signal.addEventListener('abort', end, { once: true });
    return () => signal.removeEventListener('abort', end);
  }

  /** After the end nobody writes any more: what changed within the last second may still be half of something. */
  async last(asked: boolean): Promise<void> {
    if (this.#refused) return;
    const files = this.#look();
    if (files === undefined || stampOf(files) === this.#stored) return;
    const latest = this.#context.clock.now() - LOOK_EVERY_MS;
    if (asked || files.every(({ changedAt }) => changedAt <= latest)) await this.#keep(files, false);
  }

  /** Once: a file that is never closed, such as a log, keeps every checkpoint from being whole. */
  #tellOfOpenFile(): void {
    this.#openLooks += 1;
    if (this.#openLooks === OPEN_LOOKS)
      this.#work.log?.write(
        'err',
        utf8('ringfence: a file in the checkpoint stays open for writing, so none is kept\n'),
      );
  }

  #look(): readonly SeenFile[] | undefined {
    return lookAtFolder(this.#of.root, this.#of.steps);
  }

  async #keep(files: readonly SeenFile[], jobRuns: boolean): Promise<void> {
    const { root, steps, copy, running } = this.#of;
    const stamp = stampOf(files);
    if (files.length === 0) return;
    try {
      if (!(await copyCheckpoint(root, steps, files, copy))) return;
      const after = this.#look();
      if (after === undefined || stampOf(after) !== stamp) return;
      if (jobRuns && anyOpenForWriting(running.processes(), after)) return;
      const { signal } = this.#uploading;
      this.#refused = !(await uploadCheckpoint(this.#context, this.#work, { folder: copy, files, signal }));
      if (!this.#refused) this.#stored = stamp;
    } catch (error) {
      // The checkpoint before it still counts; the next look tries again.
      this.#context.log.warn('checkpoint.not-stored', { ...this.#work.id, ...errorFields(error) });
    } finally {
      clearFolder(copy);
    }
  }
}
