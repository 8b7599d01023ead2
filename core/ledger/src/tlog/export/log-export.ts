import { canonicalJson, jsonOf } from '@ringfence/base';
import { z } from 'zod';
import { parseTilePath, tilePath, type TileCoordinate } from '../tree/tile-coordinate.ts';

/** One line of an export, in this order: header, checkpoints, tiles of hashes, entry bundles. */
export type ExportRecord =
  | { readonly kind: 'header'; readonly origin: string }
  | { readonly kind: 'checkpoint'; readonly note: string }
  | { readonly kind: 'tile'; readonly tile: TileCoordinate; readonly bytes: Uint8Array };

/** First member of an export's first line, by which a program knows the file. */
export const LOG_EXPORT = 'ringfence-log-export';

/** Longest line of an export: a bundle of 256 of the longest entries in base64. */
export const LONGEST_EXPORT_LINE = 24_000_000;

const line = z.union([
  z.strictObject({ format: z.literal(LOG_EXPORT), origin: z.string().min(1).max(255), v: z.literal(1) }),
  z.strictObject({ checkpoint: z.string() }),
  z.strictObject({ data: z.string(), tile: z.string().max(64) }),
]);

/** The line of a record, with its newline. */
export function formatExportRecord(record: ExportRecord): string {
  switch (record.kind) {
    case 'header':
      return `${canonicalJson({ format: LOG_EXPORT, origin: record.origin, v: 1 })}\n`;
    case 'checkpoint':
      return `${canonicalJson({ checkpoint: record.note })}\n`;
    case 'tile':
      return `${canonicalJson({ data: Buffer.from(record.bytes).toString('base64'), tile: tilePath(record.tile) })}\n`;
  }
}

/** The record of a line without its newline; undefined when it is none. */
export function parseExportRecord(text: string): ExportRecord | undefined {
  if (text.length > LONGEST_EXPORT_LINE) return undefined;
  const parsed = line.safeParse(jsonOf(text));
  if (!parsed.success) return undefined;
  const { data } = parsed;
  if ('format' in data) return { kind: 'header', origin: data.origin };
  if ('checkpoint' in data) return { kind: 'checkpoint', note: data.checkpoint };
  const tile = parseTilePath(data.tile);
  const bytes = Buffer.from(data.data, 'base64');
  return tile === undefined || bytes.toString('base64') !== data.data ? undefined : { kind: 'tile', tile, bytes };
}
