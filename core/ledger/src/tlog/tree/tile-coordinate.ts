import { parseSize } from './decimal-size.ts';

/** Hashes or entries in a full tile (C2SP tlog-tiles). */
export const TILE_WIDTH = 256;
/** Levels of the tree that one tile holds. */
export const TILE_HEIGHT = 8;

/** Which tile: level 0-63 of hashes or `entries`, its index within the level, its width (256, or 1-255 when partial). */
export interface TileCoordinate {
  readonly level: number | 'entries';
  readonly index: number;
  readonly width: number;
}

const PATH = /^tile\/(entries|\d{1,2})\/((?:x\d{3}\/)*\d{3})(?:\.p\/(\d{1,3}))?$/;
const LONGEST_PATH = 64;

/** The path of a tile below a log's prefix, such as `tile/0/x001/234.p/5`. */
export function tilePath({ level, index, width }: TileCoordinate): string {
  const digits = String(index);
  const groups = digits.padStart(Math.ceil(digits.length / 3) * 3, '0').match(/\d{3}/g) ?? [];
  const last = groups.pop() ?? '';
  return `tile/${level}/${groups.map((group) => `x${group}/`).join('')}${last}${partial(width)}`;
}

/** The tile that `path` names in its one spelling; undefined for any other text. */
export function parseTilePath(path: string): TileCoordinate | undefined {
  const [, level, index, width] = (path.length <= LONGEST_PATH && PATH.exec(path)) || [];
  if (level === undefined || index === undefined) return undefined;
  const tile: TileCoordinate = {
    level: level === 'entries' ? level : Number(level),
    index: Number(index.replaceAll(/[x/]/g, '')),
    width: width === undefined ? TILE_WIDTH : Number(width),
  };
  const fits = (tile.level === 'entries' || tile.level <= 63) && Number.isSafeInteger(tile.index) && tile.width > 0;
  // Written again it is the same text: no further zeros in front, no partial tile as wide as a full one.
  return fits && tile.width <= TILE_WIDTH && tilePath(tile) === path ? tile : undefined;
}

/** The tile that a route's three words name; undefined for none. */
export function tileOfWords(words: Readonly<Record<string, string | undefined>>): TileCoordinate | undefined {
  const level = words['level'] === 'entries' ? 'entries' : parseSize(words['level'] ?? '');
  const [index, width] = [parseSize(words['index'] ?? ''), parseSize(words['width'] ?? '')];
  if (level === undefined || index === undefined || width === undefined || width === 0) return undefined;
  return width > TILE_WIDTH || (level !== 'entries' && level > 63) ? undefined : { level, index, width };
}

/** How many hashes level `level` has in a tree of `size`: one for each full tile of the level below, or each entry. */
export function levelWidth(level: number, size: number): number {
  return Math.floor(size / TILE_WIDTH ** level);
}

/** All tiles of hashes of a tree of `size`, from the entries up, the partial one of a level last. */
export function* tilesOfTree(size: number): Generator<TileCoordinate> {
  for (let level = 0; levelWidth(level, size) > 0; level += 1) yield* tilesOfLevel(level, levelWidth(level, size));
}

/** The entry bundles of a tree of `size`. */
export function bundlesOfTree(size: number): Generator<TileCoordinate> {
  return tilesOfLevel('entries', size);
}

/** The tile of a tree of `size` that holds hash or entry number `place` of its level. */
export function tileAt(level: number | 'entries', place: number, size: number): TileCoordinate {
  const index = Math.floor(place / TILE_WIDTH);
  const width = levelWidth(level === 'entries' ? 0 : level, size) - index * TILE_WIDTH;
  return { level, index, width: Math.min(width, TILE_WIDTH) };
}

function* tilesOfLevel(level: number | 'entries', hashes: number): Generator<TileCoordinate> {
  for (let index = 0; index * TILE_WIDTH < hashes; index += 1)
    yield { level, index, width: Math.min(TILE_WIDTH, hashes - index * TILE_WIDTH) };
}

function partial(width: number): string {
  return width === TILE_WIDTH ? '' : `.p/${width}`;
}
