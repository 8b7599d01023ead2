import { execFile } from 'node:child_process';
import { chmodSync, chownSync, closeSync, constants, mkdirSync, openSync, readSync } from 'node:fs';
import { promisify } from 'node:util';
import type { HostIdentity } from '../sandbox/index.ts';

/** Where a job finds its pipe. */
export const PIPE_FOLDER = '/opt/ringfence/metrics';
/** Name of the pipe in that folder. */
export const PIPE_NAME = 'pipe';
/** Most bytes that are read in one turn: as much as a pipe holds. */
const TURN_BYTES = 65_536;
/** A pipe holds a megabyte at most, whatever the job makes of it. */
const LAST_TURNS = 16;

/**
 * The pipe that a job writes its metrics to: a folder to be mounted read-only, which does not keep a pipe in it from being written, so the job
 * gets no place to fill. The kernel bounds what waits in it; a writer that does not want to wait finds it full.
 */
export class MetricPipe {
  readonly folder: string;
  readonly #buffer = Buffer.alloc(TURN_BYTES);
  #file: number | undefined;

  private constructor(folder: string) {
    this.folder = folder;
    // Non-blocking, since nobody writes yet; what was opened is read from, whatever the job does to the name.
    this.#file = openSync(`${folder}/${PIPE_NAME}`, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW);
  }

  /** Makes `folder` with a pipe that `owner` (null: the agent's own user) may write. */
  static async make(folder: string, owner: HostIdentity | null): Promise<MetricPipe> {
    mkdirSync(folder, { mode: 0o755 });
    chmodSync(folder, 0o755);
    const path = `${folder}/${PIPE_NAME}`;
    await promisify(execFile)('mkfifo', ['-m', '600', path], { timeout: 10_000 });
    if (owner !== null) chownSync(path, owner.uid, owner.gid);
    return new MetricPipe(folder);
  }

  /** What waits in the pipe, at most 64 KiB of it; valid until the next call. */
  read(): Uint8Array {
    if (this.#file === undefined) return new Uint8Array();
    try {
      return this.#buffer.subarray(0, readSync(this.#file, this.#buffer));
    } catch {
      // EAGAIN: a writer is there and nothing waits.
      return new Uint8Array();
    }
  }

  /** Everything that still waits when no writer is left; then the pipe is closed. */
  *rest(): Generator<Uint8Array> {
    for (let turn = 0; turn < LAST_TURNS; turn += 1) {
      const piece = this.read();
      if (piece.length === 0) break;
      yield piece;
    }
    this.close();
  }

  close(): void {
    if (this.#file !== undefined) closeSync(this.#file);
    this.#file = undefined;
  }
}
