import { splitBundle } from '../tree/entry-bundle.ts';
import { leafHash, type MerkleHash } from '../tree/merkle-hash.ts';
import { Peaks } from '../tree/peaks.ts';
import type { TamperFault } from './log-verdict.ts';
import { tamperKind } from './tamper-kind.ts';
import type { TrustedTiles } from './trusted-tiles.ts';

/** What entries are compared with. */
export interface ComparisonOptions {
  /** How many were signed. */
  readonly size: number;
  /** Their signed hashes, where the export brought them. */
  readonly trusted: TrustedTiles | undefined;
  readonly claimOf: ((entry: Uint8Array) => number | undefined) | undefined;
  /** Sizes at which the root of the entries themselves will be asked for. */
  readonly sizes: readonly number[];
}

/** Entries from where they first differ on, and where that is. */
interface Difference<T> {
  readonly index: number;
  readonly found: T[];
}

/** Holds a stream of entries against signed hashes, their own numbers, or, without either, hashes them into a tree of its own. */
export class EntryComparison {
  readonly #options: ComparisonOptions;
  readonly #sizes: ReadonlySet<number>;
  readonly #roots = new Map<number, MerkleHash>();
  readonly #peaks: Peaks | undefined;
  readonly #malformed: TamperFault[] = [];
  #hashes: Difference<MerkleHash> | undefined;
  #claims: Difference<number> | undefined;
  #count = 0;

  constructor(options: ComparisonOptions) {
    this.#options = options;
    this.#sizes = new Set(options.sizes);
    this.#peaks = options.trusted === undefined ? new Peaks() : undefined;
    this.#keepRoot();
  }

  /** How many entries there were. */
  get count(): number {
    return this.#count;
  }

  /** The root of the first `size` entries as they came; undefined where signed hashes made that unneeded. */
  rootAt(size: number): MerkleHash | undefined {
    return this.#roots.get(size);
  }

  /** Takes a bundle; its entries are counted by what came before, whatever its path said. */
  take(bundle: Uint8Array): void {
    const entries = splitBundle(bundle);
    if (entries === undefined)
      this.#malformed.push({ code: 'malformed-entry', index: this.#count, until: this.#count + 256 });
    for (const entry of entries ?? []) this.#takeEntry(entry);
  }

  /** What was found, in no order; `agreed` says that these very entries are the signed ones. */
  end(agreed: boolean): TamperFault[] {
    return [
      ...this.#malformed,
      ...this.#hashFaults(),
      ...this.#claimFaults(agreed),
      ...this.#behind(),
      ...this.#damaged(),
    ];
  }

  /** Whether all entries have their signed hashes; false where none were brought. */
  get asSigned(): boolean {
    const { trusted, size } = this.#options;
    return trusted !== undefined && this.#hashes === undefined && this.#count === size;
  }

  #takeEntry(entry: Uint8Array): void {
    const index = this.#count;
    const hash = leafHash(entry);
    this.#count += 1;
    this.#compareHash(index, hash);
    this.#compareClaim(index, entry);
    this.#peaks?.append(hash);
    this.#keepRoot();
  }

  #compareHash(index: number, hash: MerkleHash): void {
    const { trusted, size } = this.#options;
    if (this.#hashes !== undefined) return void this.#hashes.found.push(hash);
    if (trusted === undefined) return;
    const expected = trusted.leaf(index);
    if (expected === hash || (expected === undefined && index < size)) return;
    this.#hashes = { index, found: [hash] };
  }

  #compareClaim(index: number, entry: Uint8Array): void {
    const { claimOf } = this.#options;
    if (claimOf === undefined) return;
    // Minus one is nobody's index: what is no entry of this log was put there.
    const claim = claimOf(entry) ?? -1;
    if (this.#claims !== undefined) this.#claims.found.push(claim);
    else if (claim !== index) this.#claims = { index, found: [claim] };
  }

  #keepRoot(): void {
    if (this.#peaks !== undefined && this.#sizes.has(this.#count)) this.#roots.set(this.#count, this.#peaks.root());
  }

  #hashFaults(): TamperFault[] {
    const { trusted, size } = this.#options;
    const short = this.#count < size ? { index: this.#count, found: [] } : undefined;
    const difference = this.#hashes ?? short;
    if (trusted === undefined || difference === undefined) return [];
    const expected: MerkleHash[] = [];
    for (let at = difference.index; at < size; at += 1) {
      const leaf = trusted.leaf(at);
      if (leaf !== undefined) expected.push(leaf);
    }
    const all = {
      first: expected[0],
      length: expected.length,
      includes: (hash: MerkleHash) => expected.includes(hash),
    };
    return [exactly(tamperKind(difference.found, all), difference.index)];
  }

  #claimFaults(agreed: boolean): TamperFault[] {
    const { claimOf, size, trusted, sizes } = this.#options;
    // The log itself signed an entry that is none, or that claims another place.
    if (agreed) return this.#claims === undefined ? [] : [exactly('malformed-entry', this.#claims.index)];
    // Signed hashes say more than numbers that whoever bent the log could write anew.
    if (trusted !== undefined) return [];
    if (claimOf === undefined && this.#count < size) {
      const fitting = sizes.filter((head) => head <= this.#count);
      const index = fitting.reduce((largest, head) => Math.max(largest, head), 0);
      return [{ code: 'deleted', index, until: this.#count + 1 }];
    }
    const difference = this.#claims ?? (this.#count < size ? { index: this.#count, found: [] } : undefined);
    if (difference === undefined) return [];
    const { index, found } = difference;
    // Without a list: the log may have signed any size.
    const length = size - index;
    const first = length > 0 ? index : undefined;
    const expected = { first, length, includes: (claim: number) => claim >= index && claim < size };
    const fault = exactly(tamperKind(found, expected), index);
    // The same number twice in a row: either of the two may be the one that was put there.
    const twice = found[0] === index - 1;
    return [twice ? { ...fault, index: index - 1 } : fault];
  }

  /** Entries behind what was signed, which signed hashes would have told already. */
  #behind(): TamperFault[] {
    const { trusted, size } = this.#options;
    return trusted === undefined && this.#count > size ? [exactly('inserted', size)] : [];
  }

  /** Tiles whose hashes are not the signed ones: the entries beneath cannot be told right or wrong. */
  #damaged(): TamperFault[] {
    const { trusted, size } = this.#options;
    const faults: TamperFault[] = [];
    for (let index = 0; trusted !== undefined && index < size; index += 256)
      if (!trusted.hasTileOf(index)) faults.push({ code: 'damaged-tile', index, until: Math.min(index + 256, size) });
    return faults;
  }
}

function exactly(code: TamperFault['code'], index: number): TamperFault {
  return { code, index, until: index + 1 };
}
