import { utf8 } from '@ringfence/base';
import { openCheckpoint, type CheckpointTrust, type SignedCheckpoint } from '../note/tree-checkpoint.ts';
import type { TreeHead } from '../tree/consistency-proof.ts';
import type { MerkleHash } from '../tree/merkle-hash.ts';
import { tilePath, type TileCoordinate } from '../tree/tile-coordinate.ts';
import { EntryComparison } from './entry-comparison.ts';
import { historyFaults } from './history-brackets.ts';
import type { ExportRecord } from './log-export.ts';
import type { ExportFault, LogVerdict, TamperFault } from './log-verdict.ts';
import { TrustedTiles } from './trusted-tiles.ts';

/** What a log is held against. */
export interface LogVerifierOptions {
  readonly trust: CheckpointTrust;
  /** Heads of one history that a witness or an earlier verification vouches for. */
  readonly held?: readonly TreeHead[];
  /** The index that an entry itself claims (`undefined` for none of this log's); left out, entries are bytes. */
  readonly claimOf?: ((entry: Uint8Array) => number | undefined) | undefined;
}

/** Verifies an export record by record, offline, with nothing but keys; in memory are 32 bytes an entry. */
export class LogVerifier {
  readonly #options: LogVerifierOptions;
  readonly #signed: SignedCheckpoint[] = [];
  readonly #tiles = new Map<string, Buffer>();
  readonly #faults: ExportFault[] = [];
  #records = 0;
  #comparison: EntryComparison | undefined;
  #trusted: TrustedTiles | undefined;

  constructor(options: LogVerifierOptions) {
    this.#options = options;
  }

  /** Takes the next record; `undefined` for a line that was none. */
  take(record: ExportRecord | undefined): void {
    this.#records += 1;
    if (this.#records === 1 && record !== undefined && record.kind !== 'header') this.#note('malformed');
    switch (record?.kind) {
      case undefined:
        return this.#note('malformed');
      case 'header':
        if (this.#records !== 1 || record.origin !== this.#options.trust.origin) this.#note('malformed');
        return;
      case 'checkpoint':
        return this.#takeCheckpoint(record.note);
      case 'tile':
        return record.tile.level === 'entries'
          ? this.#takeBundle(record.bytes)
          : this.#takeTile(record.tile, record.bytes);
    }
  }

  /** The verdict, once all records were taken. */
  end(): LogVerdict {
    const head = this.#head();
    if (head === undefined) return { ok: false, faults: [...this.#faults, { code: 'no-checkpoint', record: 0 }] };
    const comparison = this.#comparing();
    const rootAt = (size: number): MerkleHash | undefined => this.#trusted?.rootAt(size) ?? comparison.rootAt(size);
    const agreed = rootAt(head.checkpoint.size) === head.checkpoint.root;
    const found = [
      ...comparison.end(this.#trusted === undefined ? agreed : comparison.asSigned),
      ...historyFaults({ signed: this.#signed.map(({ checkpoint }) => checkpoint), held: this.#held, rootAt }, agreed),
      ...this.#rolledBack(head.checkpoint),
    ];
    // The first wrong entry is surely below the least bound; of equal ones the narrower says more.
    const tampers = found.toSorted((a, b) => a.until - b.until || b.index - a.index);
    const faults = [...tampers, ...this.#faults];
    return faults.length === 0 ? { ok: true, signed: head, entries: comparison.count } : { ok: false, faults };
  }

  #takeCheckpoint(note: string): void {
    if (this.#comparison !== undefined) return this.#note('malformed');
    const opened = openCheckpoint(utf8(note), this.#options.trust);
    if (opened.ok) this.#signed.push(opened.signed);
    else this.#note(`checkpoint-${opened.code}`);
  }

  #takeTile(tile: TileCoordinate, bytes: Uint8Array): void {
    if (this.#comparison !== undefined) return this.#note('malformed');
    this.#tiles.set(tilePath(tile), Buffer.from(bytes));
  }

  #takeBundle(bytes: Uint8Array): void {
    this.#comparing().take(bytes);
  }

  /** Made with the first bundle: by then all checkpoints and tiles are known. */
  #comparing(): EntryComparison {
    if (this.#comparison !== undefined) return this.#comparison;
    const head = this.#head()?.checkpoint;
    this.#trusted = head === undefined || this.#tiles.size === 0 ? undefined : TrustedTiles.of(head, this.#tiles);
    this.#comparison = new EntryComparison({
      size: head?.size ?? 0,
      trusted: this.#trusted,
      claimOf: this.#options.claimOf,
      sizes: this.#heads().map(({ size }) => size),
    });
    this.#tiles.clear();
    return this.#comparison;
  }

  #rolledBack(head: TreeHead): TamperFault[] {
    const further = this.#held.map(({ size }) => size).filter((size) => size > head.size);
    const until = further.reduce((least, size) => Math.min(least, size), Infinity);
    return further.length === 0 ? [] : [{ code: 'rolled-back', index: head.size, until }];
  }

  get #held(): readonly TreeHead[] {
    return this.#options.held ?? [];
  }

  #heads(): TreeHead[] {
    return [...this.#signed.map(({ checkpoint }) => checkpoint), ...this.#held];
  }

  #head(): SignedCheckpoint | undefined {
    let largest = this.#signed[0];
    for (const signed of this.#signed)
      if (largest === undefined || signed.checkpoint.size > largest.checkpoint.size) largest = signed;
    return largest;
  }

  #note(code: ExportFault['code']): void {
    this.#faults.push({ code, record: this.#records });
  }
}
