import { bundlesOfTree, tilesOfTree, type TileCoordinate } from '../tree/tile-coordinate.ts';
import { formatExportRecord } from './log-export.ts';

/** A log whose tiles somebody gives out. */
export interface ReadableLog {
  readonly origin: string;
  /** Of the newest checkpoint. */
  readonly size: number;
  /** Notes of checkpoints, the newest among them. */
  readonly checkpoints: readonly string[];
  /** The bytes of a tile or bundle; undefined when they are not to be had, and then they are left out. */
  readonly read: (tile: TileCoordinate) => Promise<Uint8Array | undefined>;
}

/** The lines of a log's export, each with its newline, in their order. */
export async function* writeExport({ origin, size, checkpoints, read }: ReadableLog): AsyncGenerator<string> {
  yield formatExportRecord({ kind: 'header', origin });
  for (const note of checkpoints) yield formatExportRecord({ kind: 'checkpoint', note });
  for (const tiles of [tilesOfTree(size), bundlesOfTree(size)])
    for (const tile of tiles) {
      const bytes = await read(tile);
      if (bytes !== undefined) yield formatExportRecord({ kind: 'tile', tile, bytes });
    }
}
