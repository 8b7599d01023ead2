import { seededRng, utf8 } from '@ringfence/base';
import { NoteKey } from '@ringfence/crypto/note';
import type { NoteSigner } from './note/cosignature.ts';
import { signCheckpoint } from './note/tree-checkpoint.ts';
import { verifierKey } from './note/verifier-key.ts';
import { appendEntries, EMPTY_LOG, type LogEdge } from './tree/log-edge.ts';
import { TileNodes } from './tree/tile-nodes.ts';
import { edgeRoot, type WrittenTile } from './tree/tree-edge.ts';
import { TreeView } from './tree/tree-view.ts';

/** The origin of sample logs. */
export const ORIGIN = 'ringfence.example/audit';

/** A signer with a key of its own for every name. */
export function signerOf(name: string): NoteSigner {
  return { name, key: NoteKey.generate(seededRng(name)) };
}

/** The log's signer and the trust that it gives. */
export const LOG = signerOf(ORIGIN);
export const TRUST = { origin: ORIGIN, logKeys: [verifierKey(ORIGIN, 'note', LOG.key.publicKey)] };

/** `count` different entries; those of another `history` differ in all of them. */
export function sampleEntries(count: number, history = 'a', from = 0): Uint8Array[] {
  return Array.from({ length: count }, (_, at) => utf8(`${history} ${from + at}`));
}

/** A log built in batches, with all that was stored of it. */
export class SampleLog {
  edge: LogEdge = EMPTY_LOG;
  readonly nodes = new TileNodes();
  readonly stored: WrittenTile[] = [];

  constructor(entries: readonly Uint8Array[] = []) {
    this.append(entries);
  }

  append(entries: readonly Uint8Array[]): this {
    const { edge, tiles } = appendEntries(this.edge, entries);
    this.edge = edge;
    for (const { tile, bytes } of tiles) {
      this.stored.push({ tile, bytes });
      if (tile.level !== 'entries') this.nodes.add(tile, bytes);
    }
    return this;
  }

  get view(): TreeView {
    return new TreeView(this.nodes, this.edge.tree.size);
  }

  /** The note of the current checkpoint, or of another root or size. */
  checkpoint(other: Partial<{ size: number; root: ReturnType<typeof edgeRoot>; origin: string }> = {}): string {
    const { tree } = this.edge;
    return signCheckpoint({ origin: ORIGIN, size: tree.size, root: edgeRoot(tree), extensions: [], ...other }, LOG);
  }
}
