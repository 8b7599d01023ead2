import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { jsonOf, Secret, utf8, type Rng } from '@ringfence/base';
import { writeFileAtomic } from '@ringfence/base/platform';
import { openAtRest, sealAtRest, type RecordKey } from '@ringfence/crypto/record';
import type { z } from 'zod';

/** A value of a gateway that outlives its process, sealed at rest in one file. */
export class KeptFile<T> {
  readonly #path: string;
  readonly #place: { readonly file: string };
  readonly #schema: z.ZodType<T>;
  readonly #key: RecordKey;
  readonly #rng: Rng;

  constructor(folder: string, file: string, parts: { schema: z.ZodType<T>; key: RecordKey; rng: Rng }) {
    this.#path = join(folder, file);
    this.#place = { file };
    this.#schema = parts.schema;
    this.#key = parts.key;
    this.#rng = parts.rng;
  }

  /** What was kept; undefined when there is nothing, or nothing that can be used: the custodian has it all. */
  read(): T | undefined {
    if (!existsSync(this.#path)) return undefined;
    try {
      // A gateway's private key may be in it.
      using opened = new Secret(openAtRest(this.#key, this.#place, readFileSync(this.#path)));
      return this.#schema.parse(jsonOf(opened.expose()));
    } catch {
      return undefined;
    }
  }

  write(value: T): void {
    using plain = new Secret(utf8(JSON.stringify(value)));
    writeFileAtomic(this.#path, sealAtRest(this.#key, this.#place, plain.expose(), this.#rng));
  }

  /** Keeps nothing any more. */
  remove(): void {
    rmSync(this.#path, { force: true });
  }
}
