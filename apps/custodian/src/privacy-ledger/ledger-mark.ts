import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeFileAtomic } from '@ringfence/base/platform';
import { idOf, sha256, whole } from '@ringfence/protocol';
import { z } from 'zod';

const mark = z.strictObject({ org: idOf('org'), seq: whole(0, Number.MAX_SAFE_INTEGER), hash: sha256 });

/** An entry of the custodian's ledger: the newest when leave was given last. */
export type Mark = z.infer<typeof mark>;

/**
 * How far the ledger was when leave for a round was given last, in a file beside the database: written after the debit's commit and before its
 * answer, so that a database that was put back to an earlier state is behind it and found out.
 */
export class LedgerMark {
  readonly #path: string;
  #newest: Mark | undefined;

  /** Throws on a file that is there and is no mark: what it would have said is not known. */
  constructor(state: string) {
    this.#path = join(state, 'privacy-ledger.json');
    const text = textOf(this.#path);
    this.#newest = text === undefined ? undefined : mark.parse(JSON.parse(text));
  }

  get newest(): Mark | undefined {
    return this.#newest;
  }

  /** Keeps a mark unless a newer one is kept; `anew`: whatever is kept. */
  keep(next: Mark, anew?: 'anew'): void {
    const kept = this.#newest;
    if (anew === undefined && kept !== undefined && kept.org === next.org && kept.seq >= next.seq) return;
    writeFileAtomic(this.#path, JSON.stringify(next));
    this.#newest = next;
  }
}

function textOf(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
