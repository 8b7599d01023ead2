import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SampleLog, sampleEntries } from '../sample-log.fixture.ts';
import { bundleRanges, provenEntries } from './bundle-proof.ts';
import { encodeBundle } from './entry-bundle.ts';
import { TileNodes } from './tile-nodes.ts';
import { rangesBeside } from './tree-range.ts';
import { TreeView } from './tree-view.ts';

const entries = sampleEntries(1_500);
const bundleOf = (index: number, size: number): Uint8Array[] =>
  entries.slice(index * 256, Math.min(size, (index + 1) * 256));

test('a bundle counts only with all its entries, at its place, in the tree whose root was signed', () => {
  for (const size of [1, 2, 255, 256, 257, 513, 768, 1_023, 1_025, 1_500]) {
    const { view } = new SampleLog(entries.slice(0, size));
    const head = { size, root: view.root() };
    const otherRoot = new SampleLog(entries.slice(0, size).with(0, Buffer.from('x'))).view.root();
    for (let index = 0; index * 256 < size; index += 1) {
      const own = bundleOf(index, size);
      const proven = (bundle: readonly Uint8Array[], at = index, root = head.root): boolean =>
        provenEntries(encodeBundle(bundle), at, { head: { size, root }, beside: view }) !== undefined;
      assert.deepEqual(provenEntries(encodeBundle(own), index, { head, beside: view }), own, `${index} of ${size}`);
      const forged = own.with(own.length - 1, Buffer.from('never logged'));
      assert.equal(proven(forged), false);
      assert.equal(proven(own.slice(1)), false);
      assert.equal(proven([...own.slice(1), ...own.slice(0, 1)]), own.length === 1);
      assert.equal(proven(own, index, otherRoot), false);
      if (index > 0) assert.equal(proven(own, 0), false);
    }
    assert.throws(() => bundleRanges(Math.ceil(size / 256), size), RangeError);
    assert.throws(() => bundleRanges(-1, size), RangeError);
  }
});

test('tiles of a forged tree beside forged entries do not help: the root is the signed one', () => {
  const forged = new SampleLog(entries.slice(0, 700).with(20, Buffer.from('never logged')));
  const head = { size: 700, root: new SampleLog(entries.slice(0, 700)).view.root() };
  const bundle = encodeBundle(bundleOf(0, 700).with(20, Buffer.from('never logged')));
  assert.equal(provenEntries(bundle, 0, { head, beside: forged.view }), undefined);
  assert.throws(() => provenEntries(bundle, 0, { head, beside: new TreeView(new TileNodes(), 700) }), {
    code: 'broken-ledger',
  });
});

test('only nodes of a tree have siblings', () => {
  assert.deepEqual(rangesBeside({ start: 0, end: 700 }, 700), []);
  for (const range of [
    { start: 1, end: 3 },
    { start: 0, end: 3 },
    { start: 2, end: 2 },
    { start: 699, end: 701 },
  ])
    assert.throws(() => rangesBeside(range, 700), RangeError);
});
