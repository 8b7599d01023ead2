import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { SampleLog, sampleEntries } from '../sample-log.fixture.ts';
import { decodeBundle, encodeBundle, splitBundle } from './entry-bundle.ts';
import { appendEntries, EMPTY_LOG, fitsEdge, type LogEdge } from './log-edge.ts';
import { HASH_BYTES, hashToBytes, leafHash } from './merkle-hash.ts';
import { naiveRoot } from './naive-tree.fixture.ts';
import { bundlesOfTree, parseTilePath, tilePath, tilesOfTree } from './tile-coordinate.ts';
import { TileNodes } from './tile-nodes.ts';
import { edgeFromTiles, edgeRoot, type WrittenTile } from './tree-edge.ts';
import { consistencyRanges, inclusionRanges } from './tree-range.ts';
import { TreeView } from './tree-view.ts';

test('paths that the specification spells', () => {
  assert.equal(tilePath({ level: 0, index: 1_234_067, width: 256 }), 'tile/0/x001/x234/067');
  assert.equal(tilePath({ level: 'entries', index: 1_234_067, width: 8 }), 'tile/entries/x001/x234/067.p/8');
  assert.deepEqual(parseTilePath('tile/5/x123/x456/078.p/2'), { level: 5, index: 123_456_078, width: 2 });
  assert.deepEqual(parseTilePath('tile/63/000'), { level: 63, index: 0, width: 256 });
  for (const path of [
    'tile/5/123/456/078',
    'tile/-1/x123/456/078',
    'tile/64/000',
    'tile/00/000',
    'tile/0/00',
    'tile/0/0000',
    'tile/0/x000/001',
    'tile/0/001.p/0',
    'tile/0/001.p/256',
    'tile/0/001.p/05',
    'tile/0/001.p/',
    'tile/0/001/',
    '/tile/0/001',
    'tile/data/001',
    'tile/0/x999/x999/x999/x999/x999/x999/999',
    'tile/0/٣٣٣',
  ])
    assert.equal(parseTilePath(path), undefined, path);
});

test('the tiles that the specification counts for trees of 70,000 and 256', () => {
  const widths = [...tilesOfTree(70_000)].map(({ level, width }) => `${level}:${width}`);
  assert.equal(widths.filter((each) => each === '0:256').length, 273);
  assert.deepEqual(widths.slice(273), ['0:112', '1:256', '1:17', '2:1']);
  assert.deepEqual(
    [...tilesOfTree(256)],
    [
      { level: 0, index: 0, width: 256 },
      { level: 1, index: 0, width: 1 },
    ],
  );
  assert.deepEqual([...tilesOfTree(0)], []);
  assert.deepEqual([...bundlesOfTree(257)].map(tilePath), ['tile/entries/000', 'tile/entries/001.p/1']);
});

test('a path read is the path written', () => {
  const coordinate = fc.record({
    level: fc.oneof(fc.nat({ max: 63 }), fc.constant('entries' as const)),
    index: fc.oneof(fc.nat({ max: 2000 }), fc.maxSafeNat()),
    width: fc.integer({ min: 1, max: 256 }),
  });
  fc.assert(fc.property(coordinate, (tile) => assert.deepEqual(parseTilePath(tilePath(tile)), { ...tile })));
});

test('bundles: lengths before entries, no more and no less', () => {
  const bytes = encodeBundle([Buffer.from('ab'), Buffer.alloc(0), Buffer.alloc(258, 7)]);
  assert.deepEqual([...bytes.subarray(0, 8)], [0, 2, 97, 98, 0, 0, 1, 2]);
  assert.equal(decodeBundle(bytes, 3)?.length, 3);
  for (const width of [0, 2, 4]) assert.equal(decodeBundle(bytes, width), undefined);
  for (const cut of [1, 3, 5, 7, bytes.length - 1]) assert.equal(splitBundle(bytes.subarray(0, cut)), undefined);
  assert.equal(splitBundle(Buffer.alloc(2 * 257)), undefined, 'at most 256 entries');
  assert.throws(() => encodeBundle([Buffer.alloc(65_536)]), RangeError);
  assert.throws(() => encodeBundle(Array.from({ length: 257 }, () => Buffer.alloc(0))), RangeError);
  assert.equal(decodeBundle(encodeBundle([Buffer.alloc(65_535)]), 1)?.[0]?.length, 65_535);
});

const entries = sampleEntries(66_000);
const whole = new SampleLog(entries);

function stored(tiles: readonly WrittenTile[]): Map<string, string> {
  return new Map(tiles.map(({ tile, bytes }) => [tilePath(tile), Buffer.from(bytes).toString('hex')]));
}

test('however a log is cut into batches, the same tiles, bundles and edge come out', () => {
  const cuts = fc.array(fc.integer({ min: 0, max: 1500 }), { maxLength: 5 });
  fc.assert(
    fc.property(cuts, (sizes) => {
      const log = new SampleLog();
      const before: [LogEdge, string][] = [];
      for (const size of sizes) {
        before.push([log.edge, JSON.stringify(log.edge)]);
        log.append(entries.slice(log.edge.tree.size, log.edge.tree.size + size));
      }
      for (const [edge, text] of before) assert.equal(JSON.stringify(edge), text, 'an old edge stays as it was');
      const { size } = log.edge.tree;
      const once = new SampleLog(entries.slice(0, size));
      assert.equal(JSON.stringify(log.edge), JSON.stringify(once.edge));
      const [inParts, atOnce] = [stored(log.stored), stored(once.stored)];
      for (const tile of [...tilesOfTree(size), ...bundlesOfTree(size)])
        assert.equal(inParts.get(tilePath(tile)) ?? assert.fail(tilePath(tile)), atOnce.get(tilePath(tile)));
      assert.equal(atOnce.size, [...tilesOfTree(size), ...bundlesOfTree(size)].length, 'and nothing else');
      assert.ok(fitsEdge(log.edge));
    }),
    { numRuns: 25 },
  );
});

test('tiles hold what the specification says: leaf hashes, then hashes of full tiles', () => {
  const tiles = stored(whole.stored);
  assert.equal(tiles.get('tile/0/x000/257.p/208'), undefined, 'no zeros in front of a short index');
  const level0 = Buffer.from(tiles.get('tile/0/257.p/208') ?? '', 'hex');
  assert.equal(level0.length, 208 * HASH_BYTES);
  assert.deepEqual(level0.subarray(0, 32), hashToBytes(leafHash(entries[257 * 256] ?? assert.fail())));
  const level1 = Buffer.from(tiles.get('tile/1/000') ?? '', 'hex');
  assert.deepEqual(level1.subarray(32, 64), naiveRoot(entries.slice(256, 512)));
  const level2 = Buffer.from(tiles.get('tile/2/000.p/1') ?? '', 'hex');
  assert.deepEqual(level2, naiveRoot(entries.slice(0, 65_536)));
});

test('an edge is found again from the partial tiles that were stored', () => {
  for (const size of [0, 1, 255, 256, 257, 511, 512, 65_535, 65_536, 65_793]) {
    const log = new SampleLog(entries.slice(0, size));
    const tiles = new Map(log.stored.map(({ tile, bytes }) => [tilePath(tile), bytes]));
    const tree = edgeFromTiles(size, (tile) => tiles.get(tilePath(tile)) ?? assert.fail(tilePath(tile)));
    assert.equal(edgeRoot(tree), whole.view.rootAt(size));
    const next = appendEntries({ tree, bundle: log.edge.bundle }, entries.slice(size, size + 3));
    assert.equal(edgeRoot(next.edge.tree), whole.view.rootAt(size + Math.min(3, entries.length - size)));
  }
  assert.throws(() => edgeFromTiles(3, () => Buffer.alloc(64)), RangeError);
});

test('a bundle that is not the tree’s is noticed before anything is appended to it', () => {
  const { tree, bundle } = new SampleLog(entries.slice(0, 300)).edge;
  assert.ok(fitsEdge({ tree, bundle }));
  assert.ok(fitsEdge(EMPTY_LOG));
  const changed = Buffer.from(bundle);
  changed.writeUInt8(changed.readUInt8(2) ^ 1, 2);
  for (const other of [changed, bundle.subarray(0, 5), Buffer.alloc(0)]) assert.ok(!fitsEdge({ tree, bundle: other }));
});

test('a proof needs only the tiles that were asked for', () => {
  const all = new Map(whole.stored.map(({ tile, bytes }) => [tilePath(tile), bytes]));
  for (const [ranges, prove] of [
    [inclusionRanges(12_345, 66_000), (view: TreeView) => view.proveInclusion(12_345)],
    [consistencyRanges(40_001, 66_000), (view: TreeView) => view.proveConsistency(40_001)],
  ] as const) {
    const nodes = new TileNodes();
    const missing = nodes.missing(ranges, 66_000);
    assert.ok(missing.length <= 6, String(missing.length));
    assert.throws(() => prove(new TreeView(nodes, 66_000)), { code: 'broken-ledger' });
    for (const tile of missing) nodes.add(tile, all.get(tilePath(tile)) ?? assert.fail(tilePath(tile)));
    assert.deepEqual(nodes.missing(ranges, 66_000), []);
    assert.deepEqual(prove(new TreeView(nodes, 66_000)), prove(whole.view));
  }
});

test('held tiles are bounded, and widths are those that they say', () => {
  const nodes = new TileNodes(2);
  for (const { tile, bytes } of whole.stored.filter(({ tile: { level } }) => level === 0).slice(0, 5))
    nodes.add(tile, bytes);
  assert.deepEqual(
    [0, 1, 2, 3, 4].map((index) => nodes.node(0, index * 256) !== undefined),
    [false, false, false, true, true],
  );
  for (const [subtree, held] of [
    [{ level: 0, index: 65_999 }, true],
    [{ level: 0, index: 66_000 }, false],
    [{ level: 4, index: 4124 }, true],
    [{ level: 4, index: 4125 }, false],
    [{ level: 7, index: 515 }, false],
    [{ level: 16, index: 1 }, false],
  ] as const)
    assert.equal(whole.nodes.node(subtree.level, subtree.index) !== undefined, held, JSON.stringify(subtree));
  assert.throws(() => nodes.add({ level: 0, index: 9, width: 2 }, Buffer.alloc(32)), { code: 'broken-ledger' });
  assert.throws(() => nodes.add({ level: 'entries', index: 9, width: 1 }, Buffer.alloc(32)), { code: 'broken-ledger' });
});
