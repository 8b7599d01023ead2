import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fromUtf8, utf8, type Rng } from '@ringfence/base';
import { makeFolder, writeFileAtomic } from '@ringfence/base/platform';
import { openAtRest, sealAtRest, type RecordKey } from '@ringfence/crypto/record';
import { sha256Hex, type Digest } from '@ringfence/crypto/sign';
import { sha256 } from '@ringfence/protocol';
import { z } from 'zod';
import { AgentError } from '../../agent-error.ts';

const POINTER = 'checkpoint.sealed';
const pointer = z.strictObject({
  v: z.literal(1),
  contract: sha256,
  /** The highest round whose number is burned. */
  round: z.int().min(0),
  /** Rounds that made a sum. */
  summed: z.int().min(0),
  /** Of the state's bytes. */
  state: sha256,
});

/** Where the aggregator of a contract stands. */
export interface Checkpoint {
  readonly round: number;
  readonly summed: number;
  /** Model and strategy, as the strategy wrote them. */
  readonly state: Uint8Array;
}

/**
 * The checkpoint of one contract's aggregator in a folder of the agent's state: the state by its digest, then a pointer to it, each sealed at rest, so that a crash leaves the
 * checkpoint before or the new one.
 */
export class CheckpointFile {
  readonly #folder: string;
  readonly #contract: Digest;
  readonly #key: RecordKey;
  readonly #rng: Rng;

  constructor(folder: string, parts: { contract: Digest; key: RecordKey; rng: Rng }) {
    this.#folder = folder;
    this.#contract = parts.contract;
    this.#key = parts.key;
    this.#rng = parts.rng;
  }

  /** The newest checkpoint; undefined before the first. Throws AgentError `bad-state` for one that cannot be read whole. */
  read(): Checkpoint | undefined {
    const path = join(this.#folder, POINTER);
    if (!existsSync(path)) return undefined;
    try {
      const read = pointer.parse(JSON.parse(fromUtf8(this.#open(POINTER))));
      const state = this.#open(`${read.state}.sealed`);
      if (read.contract !== this.#contract || sha256Hex(state) !== read.state) throw new TypeError('another state');
      return { round: read.round, summed: read.summed, state: Uint8Array.from(state) };
    } catch (cause) {
      throw new AgentError('bad-state', 'the checkpoint of a federation cannot be read', {
        cause,
        next: `restore ${this.#folder} from a backup, or remove it: the federation then begins anew at a later round`,
      });
    }
  }

  /** Keeps a checkpoint in place of the one before; it is on disk when this returns. */
  write({ round, summed, state }: Checkpoint): void {
    makeFolder(this.#folder);
    const digest = sha256Hex(state);
    const name = `${digest}.sealed`;
    if (!existsSync(join(this.#folder, name))) this.#seal(name, state);
    const value = { v: 1, contract: this.#contract, round, summed, state: digest };
    this.#seal(POINTER, utf8(JSON.stringify(value)));
    for (const left of readdirSync(this.#folder))
      if (left !== POINTER && left !== name) rmSync(join(this.#folder, left), { force: true });
  }

  #seal(name: string, bytes: Uint8Array): void {
    writeFileAtomic(join(this.#folder, name), sealAtRest(this.#key, { file: `federation/${name}` }, bytes, this.#rng));
  }

  #open(name: string): Uint8Array {
    return openAtRest(this.#key, { file: `federation/${name}` }, readFileSync(join(this.#folder, name)));
  }
}
