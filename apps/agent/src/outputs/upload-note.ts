import { appendFileSync, existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fromBase64Url, fromUtf8, toBase64Url, utf8, type Rng } from '@ringfence/base';
import { writeFileAtomic } from '@ringfence/base/platform';
import { CryptoError, openAtRest, sealAtRest, type RecordKey } from '@ringfence/crypto/record';
import { DedupeKey, type Digest } from '@ringfence/crypto/seal';
import { idOf } from '@ringfence/protocol';
import { chunkReference, type ChunkReference } from '@ringfence/protocol/payload';
import { z } from 'zod';
import type { AttemptFolder } from '../attempt/attempt-folder.ts';
import { bootId } from '../sandbox/process-table.ts';

const plan = z.strictObject({
  project: idOf('project'),
  outputs: z.array(
    z.strictObject({
      artifact: idOf('artifact'),
      version: z.int(),
      /** Name of its folder in the attempt's own. */
      folder: z.string(),
      /** Path in it that is no part of the output. */
      without: z.string().optional(),
    }),
  ),
  dedupeKey: z.string(),
});
const arrived = z.strictObject({ output: z.int(), chunks: z.array(chunkReference) });

/** Which folders become which artifacts; all that an upload needs of its attempt. */
export type UploadPlan = Omit<z.infer<typeof plan>, 'dedupeKey'>;

/**
 * What an upload of results has got to, sealed at rest, so that the next process goes on from there. It counts only while the machine has not
 * been started anew: after that nobody knows whether all that the job wrote has reached the disk.
 */
export class UploadNote {
  readonly plan: UploadPlan;
  readonly dedupeKey: DedupeKey;
  /** Chunks that the custodian has, for each output. */
  readonly arrived: readonly Map<Digest, ChunkReference>[];
  readonly #path: string;
  readonly #seal: (line: number, value: object) => string;
  #lines: number;

  private constructor(path: string, key: RecordKey, rng: Rng, read: { plan: z.infer<typeof plan>; lines: number }) {
    const { dedupeKey, ...rest } = read.plan;
    this.#path = path;
    this.#seal = (line, value) => toBase64Url(sealAtRest(key, placeOf(line), utf8(JSON.stringify(value)), rng));
    this.#lines = read.lines;
    this.plan = rest;
    this.dedupeKey = DedupeKey.fromBytes(Uint8Array.from(fromBase64Url(dedupeKey)));
    this.arrived = rest.outputs.map(() => new Map());
  }

  /** Begins an upload; its chunks are keyed apart from everything else, so that an agent cannot ask whether the custodian has a certain file. */
  static begin(kept: AttemptFolder, wish: UploadPlan, { key, rng }: { key: RecordKey; rng: Rng }): UploadNote {
    const dedupeKey = toBase64Url(DedupeKey.generate(rng).expose());
    const note = new UploadNote(sealedPath(kept), key, rng, { plan: { ...wish, dedupeKey }, lines: 1 });
    writeFileAtomic(note.#path, `${note.#seal(0, { ...wish, dedupeKey })}\n`);
    // Last: where it stands, the other is whole.
    writeFileAtomic(bootPath(kept), bootId());
    return note;
  }

  /** The upload that an earlier process of this run of the machine began; undefined when there is none that can go on. */
  static read(kept: AttemptFolder, { key, rng }: { key: RecordKey; rng: Rng }): UploadNote | undefined {
    if (!hasUpload(kept)) return undefined;
    const text = readFileSync(sealedPath(kept), 'utf8');
    // What the end of the process cut off becomes a line that says nothing.
    if (!text.endsWith('\n')) appendFileSync(sealedPath(kept), '\n');
    const lines = (text.endsWith('\n') ? text.slice(0, -1) : text).split('\n');
    const open = (index: number): unknown => opened(key, index, lines[index] ?? '');
    const first = plan.safeParse(open(0));
    if (!first.success) return undefined;
    const note = new UploadNote(sealedPath(kept), key, rng, { plan: first.data, lines: lines.length });
    for (let index = 1; index < lines.length; index += 1) {
      const read = arrived.safeParse(open(index));
      if (read.success) for (const chunk of read.data.chunks) note.arrived[read.data.output]?.set(chunk.id, chunk);
    }
    return note;
  }

  /** Writes down that the custodian has these chunks. The end of the process loses nothing of it; that of the machine ends the upload anyway. */
  add(output: number, chunks: readonly ChunkReference[]): void {
    appendFileSync(this.#path, `${this.#seal(this.#lines, { output, chunks })}\n`);
    this.#lines += 1;
  }
}

/** Whether an earlier process of this run of the machine began to upload results of this attempt. */
export function hasUpload(kept: AttemptFolder): boolean {
  return existsSync(bootPath(kept)) && readFileSync(bootPath(kept), 'utf8') === bootId();
}

/** The attempt is over, or its results are at the custodian. */
export function forgetUpload(kept: AttemptFolder): void {
  rmSync(bootPath(kept), { force: true });
  rmSync(sealedPath(kept), { force: true });
}

function opened(key: RecordKey, line: number, text: string): unknown {
  try {
    return JSON.parse(fromUtf8(openAtRest(key, placeOf(line), fromBase64Url(text))));
  } catch (error) {
    if (error instanceof CryptoError || error instanceof SyntaxError || error instanceof RangeError) return undefined;
    throw error;
  }
}

function placeOf(line: number): { file: string } {
  return { file: `upload.sealed ${line}` };
}

function sealedPath(kept: AttemptFolder): string {
  return join(kept.path, 'upload.sealed');
}

function bootPath(kept: AttemptFolder): string {
  return join(kept.path, 'upload.boot');
}
