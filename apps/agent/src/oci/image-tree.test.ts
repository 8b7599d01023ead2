import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { ImageTree, type TreeStep } from './image-tree.ts';
import { OciError } from './oci-error.ts';
import type { TarEntry } from './tar-reader.ts';

const entry = (kind: TarEntry['kind'], name: string, target = ''): TarEntry => ({
  kind,
  name,
  target,
  size: 0,
  mode: 0o755,
  mtime: 0,
});
const file = (name: string) => entry('file', name);
const folder = (name: string) => entry('folder', name);
const link = (name: string, target: string) => entry('link', name, target);
const hard = (name: string, target: string) => entry('hardlink', name, target);

/** The steps of the last entry, after those of the others; layers are lists. */
function lastSteps(...layers: readonly (readonly TarEntry[])[]): readonly TreeStep[] {
  const tree = new ImageTree(1_000);
  let steps: readonly TreeStep[] = [];
  for (const [index, entries] of layers.entries()) for (const one of entries) steps = tree.apply(index + 1, one);
  return steps;
}

/** A disk that knows only what steps did, and refuses every step that would leave it or pass a link. */
class CarefulDisk {
  readonly nodes = new Map<string, 'folder' | 'file' | 'link'>([['', 'folder']]);

  perform(step: TreeStep): void {
    const parts = step.path.split('/');
    assert.ok(
      parts.every((part) => part !== '' && part !== '.' && part !== '..'),
      step.path,
    );
    const parent = parts.slice(0, -1).join('/');
    assert.equal(this.nodes.get(parent), 'folder', `${step.do} ${step.path} passes what is no folder`);
    if (step.do === 'remove') {
      assert.ok(this.nodes.has(step.path));
      for (const path of this.nodes.keys())
        if (path === step.path || path.startsWith(`${step.path}/`)) this.nodes.delete(path);
      return;
    }
    assert.ok(!this.nodes.has(step.path), `${step.do} ${step.path} is there already`);
    if (step.do === 'hardlink') assert.equal(this.nodes.get(step.from), 'file', `hard link to ${step.from}`);
    this.nodes.set(step.path, step.do === 'hardlink' ? 'file' : step.do);
  }
}

suite('hostile entries of layers', () => {
  for (const [what, name] of [
    ['a step up', '../evil'],
    ['a step up in the middle', 'a/../../evil'],
    ['a long name', `a/${'n'.repeat(256)}`],
    ['a deep tree', 'd/'.repeat(200)],
  ] as const)
    test(`${what} is refused`, () => {
      assert.throws(() => lastSteps([file(name)]), { code: 'bad-layer' });
    });

  test('an absolute name lies in the image', () => {
    assert.deepEqual(lastSteps([file('/etc/passwd')]), [
      { do: 'folder', path: 'etc' },
      { do: 'file', path: 'etc/passwd', executable: true },
    ]);
  });

  test('a link on the way is resolved in the image, wherever it points', () => {
    for (const target of ['/etc', '../../../etc', '../etc', '/../etc/.'])
      assert.deepEqual(lastSteps([folder('etc'), link('out', target), file('out/shadow')]), [
        { do: 'file', path: 'etc/shadow', executable: true },
      ]);
  });

  test('a file over a link replaces the link and writes nothing through it', () => {
    assert.deepEqual(lastSteps([link('passwd', '/etc/passwd'), file('passwd')]), [
      { do: 'remove', path: 'passwd' },
      { do: 'file', path: 'passwd', executable: true },
    ]);
  });

  test('a folder over a link replaces it', () => {
    assert.deepEqual(lastSteps([link('a', '/tmp'), folder('a')]), [
      { do: 'remove', path: 'a' },
      { do: 'folder', path: 'a' },
    ]);
  });

  test('links in a circle, files as folders and hard links to nowhere are refused', () => {
    assert.throws(() => lastSteps([link('a', 'b'), link('b', 'a'), file('a/x')]), { code: 'bad-layer' });
    assert.throws(() => lastSteps([file('a'), file('a/x')]), { code: 'bad-layer' });
    for (const target of ['../etc/shadow', '/etc/shadow', 'missing'])
      assert.throws(() => lastSteps([hard('a', target)]), { code: 'bad-layer' });
    assert.throws(() => lastSteps([file('a/b'), hard('a', 'a/b')]), { code: 'bad-layer' });
  });

  test('a hard link to a link is that link, and to itself nothing', () => {
    assert.deepEqual(lastSteps([link('a', '/etc/shadow'), hard('b', 'a')]), [
      { do: 'link', path: 'b', target: '/etc/shadow' },
    ]);
    assert.deepEqual(lastSteps([file('a'), hard('a', 'a')]), []);
  });

  test('devices and pipes are never made, and take nothing away', () => {
    assert.deepEqual(lastSteps([file('dev/null'), entry('special', 'dev/null')]), []);
  });

  test('more files than allowed are refused', () => {
    const tree = new ImageTree(2);
    tree.apply(1, file('a'));
    tree.apply(1, file('a'));
    tree.apply(1, file('b'));
    assert.throws(() => tree.apply(1, file('c')), { code: 'too-large' });
  });
});

suite('layers over each other', () => {
  test('a whiteout takes away what lower layers brought, not what its own did', () => {
    assert.deepEqual(lastSteps([file('a/b')], [file('.wh.a')]), [{ do: 'remove', path: 'a' }]);
    assert.deepEqual(lastSteps([file('a/b')], [file('a/c'), file('.wh.a')]), [{ do: 'remove', path: 'a/b' }]);
    assert.deepEqual(lastSteps([file('a')], [file('.wh.missing')]), []);
  });

  test('an opaque folder shows its own layer alone, whichever entry comes first', () => {
    for (const own of [
      [file('a/new'), file('a/.wh..wh..opq')],
      [file('a/.wh..wh..opq'), file('a/new')],
    ]) {
      const disk = new CarefulDisk();
      const tree = new ImageTree(100);
      for (const [index, layer] of [[file('a/old'), file('a/sub/x')], own].entries())
        for (const one of layer) for (const step of tree.apply(index + 1, one)) disk.perform(step);
      assert.deepEqual([...disk.nodes.keys()].toSorted(), ['', 'a', 'a/new']);
    }
  });

  test('a whiteout without a usable name is refused', () => {
    for (const name of ['.wh.', '.wh..', '.wh...'])
      assert.throws(() => lastSteps([file(`a/${name}`)]), { code: 'bad-layer' }, name);
  });

  test('a whiteout behind a link stays in the image', () => {
    assert.deepEqual(lastSteps([file('real/x'), link('l', '/real')], [file('l/.wh.x')]), [
      { do: 'remove', path: 'real/x' },
    ]);
  });
});

test('whatever layers hold, no step leaves the image, passes a link or meets what is there', () => {
  const step = fc.constantFrom('a', 'b', 'c', '.', '..', '', '.wh.a', '.wh.b', '.wh..wh..opq', 'etc');
  const name = fc.array(step, { minLength: 1, maxLength: 4 }).map((steps) => steps.join('/'));
  const target = fc.tuple(fc.constantFrom('', '/'), name).map((parts) => parts.join(''));
  const kind = fc.constantFrom<TarEntry['kind']>('file', 'folder', 'link', 'hardlink', 'special');
  const layer = fc.array(fc.tuple(kind, target, target), { maxLength: 12 });
  fc.assert(
    fc.property(fc.array(layer, { minLength: 1, maxLength: 3 }), (layers) => {
      const tree = new ImageTree(20);
      const disk = new CarefulDisk();
      for (const [index, entries] of layers.entries())
        for (const [of, at, to] of entries)
          try {
            for (const one of tree.apply(index + 1, entry(of, at, to))) disk.perform(one);
          } catch (error) {
            if (!(error instanceof OciError)) throw error;
            return;
          }
    }),
    { numRuns: 20_000 },
  );
});
