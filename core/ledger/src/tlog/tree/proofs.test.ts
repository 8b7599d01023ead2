import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fromHex } from '@ringfence/base';
import fc from 'fast-check';
import { SampleLog, sampleEntries } from '../sample-log.fixture.ts';
import { committedRoot, verifyConsistency } from './consistency-proof.ts';
import { verifyInclusion } from './inclusion-proof.ts';
import {
  EMPTY_ROOT,
  hashFromBytes,
  hashToBytes,
  leafHash,
  nodeHash,
  parseHash,
  type MerkleHash,
} from './merkle-hash.ts';
import { naivePath, naiveProof, naiveRoot } from './naive-tree.fixture.ts';

const hex = (hash: MerkleHash): string => Buffer.from(hashToBytes(hash)).toString('hex');
const hexes = (hashes: readonly MerkleHash[]): string[] => hashes.map(hex);
const ofHex = (text: string): MerkleHash => hashFromBytes(fromHex(text)) ?? assert.fail('32 bytes');
const flipped = (hash: MerkleHash): MerkleHash => {
  const bytes = Buffer.from(hashToBytes(hash));
  bytes.writeUInt8(bytes.readUInt8(31) ^ 1, 31);
  return hashFromBytes(bytes) ?? assert.fail('32 bytes');
};

// The eight entries that implementations of RFC 6962 check each other with, and the roots of their first one to eight.
const ENTRIES = [
  '',
  '00',
  '10',
  '2021',
  '3031',
  '40414243',
  '5051525354555657',
  '606162636465666768696a6b6c6d6e6f',
].map((text) => fromHex(text));
const ROOTS = [
  '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
  'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
  'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
  'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
  '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
  '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
  'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
  '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
];

test('hashes that others computed: nothing, an empty leaf, a leaf, the eight roots', () => {
  assert.equal(hex(EMPTY_ROOT), 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855');
  assert.equal(hex(leafHash(Buffer.alloc(0))), ROOTS[0]);
  assert.equal(
    hex(leafHash(Buffer.from('L123456'))),
    '395aa064aa4c29f7010acfe3f25db9485bbd4b91897b6ad7ad547639252b4d56',
  );
  for (const [at, root] of ROOTS.entries())
    assert.equal(hex(new SampleLog(ENTRIES.slice(0, at + 1)).view.root()), root);
  assert.equal(new SampleLog().view.root(), EMPTY_ROOT);
});

test('proofs that others made: inclusion of 0 and 5 in 8, 2 in 3, 1 in 5; consistency of 1 and 6 with 8, 2 with 5', () => {
  const view = (size: number): SampleLog['view'] => new SampleLog(ENTRIES.slice(0, size)).view;
  assert.deepEqual(hexes(view(8).proveInclusion(0)), [
    '96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7',
    '5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e',
    '6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4',
  ]);
  assert.deepEqual(hexes(view(8).proveInclusion(5)), [
    'bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b',
    'ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0',
    'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
  ]);
  assert.deepEqual(hexes(view(3).proveInclusion(2)), [ROOTS[1]]);
  assert.deepEqual(hexes(view(5).proveInclusion(1)), [
    ROOTS[0],
    '5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e',
    'bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b',
  ]);
  assert.deepEqual(hexes(view(8).proveConsistency(6)), [
    '0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a',
    'ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0',
    'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
  ]);
  assert.deepEqual(hexes(view(5).proveConsistency(2)), [
    '5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e',
    'bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b',
  ]);
  assert.equal(view(8).proveConsistency(1).length, 3);
});

test('every proof of every tree of up to 40 entries is the one that the definition gives, and verifies', () => {
  const entries = sampleEntries(40);
  const log = new SampleLog();
  const roots = [EMPTY_ROOT];
  for (let size = 1; size <= 40; size += 1) {
    const { view } = log.append(entries.slice(size - 1, size));
    const part = entries.slice(0, size);
    const root = view.root();
    roots.push(root);
    assert.equal(hex(root), naiveRoot(part).toString('hex'));
    for (let index = 0; index < size; index += 1) {
      const proof = view.proveInclusion(index);
      assert.deepEqual(
        hexes(proof),
        naivePath(index, part).map((bytes) => bytes.toString('hex')),
      );
      const claim = { index, size, leaf: leafHash(entries[index] ?? assert.fail()), root };
      assert.ok(verifyInclusion(claim, proof));
    }
    for (let old = 1; old <= size; old += 1) {
      const proof = view.proveConsistency(old);
      assert.deepEqual(
        hexes(proof),
        naiveProof(old, part).map((bytes) => bytes.toString('hex')),
      );
      assert.ok(verifyConsistency({ size: old, root: roots[old] ?? root }, { size, root }, proof));
    }
  }
});

const large = sampleEntries(1500);
const trees = new SampleLog(large);

test('trees over several tiles: proofs are those of the definition, and one altered thing spoils them', () => {
  const position = fc
    .integer({ min: 2, max: large.length })
    .chain((size) => fc.tuple(fc.constant(size), fc.nat({ max: size - 1 })));
  fc.assert(
    fc.property(position, fc.nat(), ([size, index], pick) => {
      const part = large.slice(0, size);
      const { view } = new SampleLog(part);
      const root = view.root();
      assert.equal(hex(root), naiveRoot(part).toString('hex'));
      assert.equal(trees.view.rootAt(size), root);
      const proof = view.proveInclusion(index);
      assert.deepEqual(
        hexes(proof),
        naivePath(index, part).map((bytes) => bytes.toString('hex')),
      );
      const claim = { index, size, leaf: leafHash(part[index] ?? assert.fail()), root };
      assert.ok(verifyInclusion(claim, proof));
      const at = pick % proof.length;
      const wrong = proof.with(at, flipped(proof[at] ?? root));
      for (const other of [wrong, proof.slice(1), proof.slice(0, -1), [...proof, root], [root, ...proof]])
        assert.ok(!verifyInclusion(claim, other));
      assert.ok(!verifyInclusion({ ...claim, index: (index + 1) % size }, proof));
      assert.ok(!verifyInclusion({ ...claim, root: flipped(root) }, proof));
      assert.ok(!verifyInclusion({ ...claim, leaf: nodeHash(root, root) }, proof));
    }),
    { numRuns: 40 },
  );
});

test('consistency: the proof of the definition, spoilt by one altered thing; what the new tree commits to is read off', () => {
  const pair = fc
    .integer({ min: 2, max: large.length })
    .chain((size) => fc.tuple(fc.constant(size), fc.integer({ min: 1, max: size - 1 })));
  fc.assert(
    fc.property(pair, fc.nat(), ([size, old], pick) => {
      const part = large.slice(0, size);
      const { view } = new SampleLog(part);
      const proof = view.proveConsistency(old);
      assert.deepEqual(
        hexes(proof),
        naiveProof(old, part).map((bytes) => bytes.toString('hex')),
      );
      const [before, after] = [
        { size: old, root: view.rootAt(old) },
        { size, root: view.root() },
      ];
      assert.ok(verifyConsistency(before, after, proof));
      const at = pick % proof.length;
      const wrong = proof.with(at, flipped(proof[at] ?? before.root));
      for (const other of [wrong, proof.slice(1), proof.slice(0, -1), [...proof, after.root], []])
        assert.ok(!verifyConsistency(before, after, other));
      assert.ok(!verifyConsistency({ ...before, root: flipped(before.root) }, after, proof));
      assert.ok(!verifyConsistency(before, { ...after, root: flipped(after.root) }, proof));
      assert.ok(!verifyConsistency(after, before, proof));
      const powerOfTwo = (old & (old - 1)) === 0;
      assert.equal(committedRoot(old, after, proof), powerOfTwo ? undefined : before.root);
      assert.equal(committedRoot(old, { ...after, root: flipped(after.root) }, proof), undefined);
    }),
    { numRuns: 40 },
  );
});

test('edges of the definitions: the empty tree, the same tree, sizes that are none', () => {
  const root = trees.view.root();
  const whole = { size: large.length, root };
  assert.ok(verifyConsistency({ size: 0, root: EMPTY_ROOT }, whole, []));
  assert.ok(!verifyConsistency({ size: 0, root: EMPTY_ROOT }, whole, [root]));
  assert.ok(!verifyConsistency({ size: 0, root }, whole, []));
  assert.ok(verifyConsistency(whole, whole, []));
  assert.ok(!verifyConsistency(whole, { ...whole, root: flipped(root) }, []));
  const leaf = leafHash(Buffer.from('only'));
  assert.ok(verifyInclusion({ index: 0, size: 1, leaf, root: leaf }, []));
  // A leaf that is the root, but of a tree that has more than one entry.
  assert.ok(!verifyInclusion({ index: 0, size: 2, leaf, root: leaf }, []));
  // Both roots hashed with one more thing: the proof goes on where the tree has ended.
  const [old, more] = [{ size: 700, root: nodeHash(leaf, trees.view.rootAt(700)) }, nodeHash(leaf, root)];
  const proof = [...trees.view.proveConsistency(700), leaf];
  assert.ok(!verifyConsistency(old, { ...whole, root: more }, proof));
  assert.equal(committedRoot(700, { ...whole, root: more }, proof), undefined);
  for (const [index, size] of [
    [-1, 1],
    [1, 1],
    [0, 0],
    [0.5, 1],
    [0, 1.5],
    [Number.NaN, 1],
    [0, Infinity],
  ] as const)
    assert.ok(!verifyInclusion({ index, size, leaf, root: leaf }, []));
  assert.throws(() => trees.view.proveInclusion(large.length), RangeError);
  assert.throws(() => trees.view.proveConsistency(large.length + 1), RangeError);
});

test('sizes past 2^32 are no smaller than they are', () => {
  const at = ofHex(ROOTS[0] ?? '');
  const proof = Array.from({ length: 40 }, () => at);
  let root = at;
  for (const sibling of proof) root = nodeHash(root, sibling);
  const size = 2 ** 40;
  assert.ok(verifyInclusion({ index: 0, size, leaf: at, root }, proof));
  assert.ok(!verifyInclusion({ index: 2 ** 32, size, leaf: at, root }, proof.slice(8)));
  assert.ok(!verifyInclusion({ index: 0, size: 2 ** 8, leaf: at, root }, proof));
});

test('base64 of a hash has one spelling', () => {
  assert.equal(parseHash('bjQLnP+zepicpUTmu3gKLHiQHT+zNzh2hRGjBhevoB0='), leafHash(Buffer.alloc(0)));
  for (const text of [
    '',
    'bjQLnP+zepicpUTmu3gKLHiQHT+zNzh2hRGjBhevoB0',
    'bjQLnP+zepicpUTmu3gKLHiQHT+zNzh2hRGjBhevoB1=',
    'bjQLnP-zepicpUTmu3gKLHiQHT-zNzh2hRGjBhevoB0=',
    'bjQLnP+zepicpUTmu3gKLHiQHT+zNzh2hRGjBhevoB0A',
  ])
    assert.equal(parseHash(text), undefined);
});
