import { ApiRefusal } from './api-refusal.ts';
import {
  bundleRanges,
  provenEntries,
  TILE_WIDTH,
  TileNodes,
  TreeView,
  writeExport,
  type TileCoordinate,
  type TreeHead,
} from '@ringfence/ledger/tlog';
import type { AuditHead } from '@ringfence/protocol/api';

/** Whoever gives out a log: a control plane or a custodian. */
export interface LogSource {
  audit(): Promise<AuditHead>;
  auditTile(level: number | 'entries', index: number, width: number): Promise<Uint8Array>;
}

/** Reads a tile from a log's source. */
export function tileReader(source: LogSource): (tile: TileCoordinate) => Promise<Uint8Array> {
  return ({ level, index, width }) => source.auditTile(level, index, width);
}

/**
 * Reads bundles of entries and holds them against a signed head: undefined for a bundle that does not lead to its root. Throws `RangeError` for a
 * bundle outside of the tree.
 */
export function entriesReader(source: LogSource, head: TreeHead): (index: number) => Promise<Uint8Array[] | undefined> {
  const nodes = new TileNodes();
  const read = tileReader(source);
  return async (index) => {
    for (const tile of nodes.missing(bundleRanges(index, head.size), head.size)) nodes.add(tile, await read(tile));
    const width = Math.min(TILE_WIDTH, head.size - index * TILE_WIDTH);
    const bytes = await source.auditTile('entries', index, width);
    return provenEntries(bytes, index, { head, beside: new TreeView(nodes, head.size) });
  };
}

/**
 * The lines of an export of a whole log as its source gives it out at `head`, with `cosigned` checkpoints of it beside. What the source does
 * not give out is left out: whoever verifies the export finds where.
 */
export function exportLog(
  source: LogSource,
  head: AuditHead,
  cosigned: readonly string[] = [],
): AsyncGenerator<string> {
  const read = tileReader(source);
  return writeExport({
    origin: head.origin,
    size: head.size,
    checkpoints: [...cosigned, ...(head.checkpoint === null ? [] : [head.checkpoint])],
    read: (tile) => read(tile).catch(leaveOut),
  });
}

function leaveOut(error: unknown): undefined {
  if (error instanceof ApiRefusal && error.status === 404) return undefined;
  throw error;
}
