import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { it } from 'node:test';
import { withKernels } from './compiled.ts';
import { KERNELS } from './generated/kernels.ts';

const SOURCES = resolve(import.meta.dirname, '../../kernels');
const OPTIONS = [
  '--runtime',
  'stub',
  '--importMemory',
  '--noAssert',
  '--enable',
  'simd',
  '--memoryBase',
  '1024',
  '-O3',
];

/** The module that the pinned compiler makes of the sources. */
async function compile(): Promise<Buffer> {
  const { main } = await import('assemblyscript/asc');
  let bytes: Uint8Array | undefined;
  const { error } = await main(['kernels.ts', '--outFile', 'kernels.wasm', ...OPTIONS], {
    readFile: (name) => {
      try {
        return readFileSync(join(SOURCES, basename(name)), 'utf8');
      } catch {
        return null;
      }
    },
    writeFile: (_name, contents) => {
      bytes = contents as Uint8Array;
    },
    listFiles: () => [],
  });
  assert.equal(error, null);
  return Buffer.from(bytes ?? []);
}

it('the kernels that are checked in are what the sources compile to', async () => {
  const built = (await compile()).toString('base64');
  if (process.env['RINGFENCE_WRITE_KERNELS'] === '1')
    writeFileSync(
      join(import.meta.dirname, 'generated/kernels.ts'),
      `/** WebAssembly of engines/fl/kernels, in base64; written by \`RINGFENCE_WRITE_KERNELS=1\` and this package's kernels.test.ts. */\nexport const KERNELS =\n  '${built}';\n`,
    );
  else assert.equal(KERNELS, built);
});

it('the memory of kernels is wiped after each use, also one that failed, and work within work has its own', () => {
  let buffer = new ArrayBuffer(0);
  let at = 0;
  const marked = () => new Uint8Array(buffer, at, 1_000).some((byte) => byte !== 0);
  const mark = () =>
    withKernels([1_000], (kernels) => {
      [at = 0] = kernels.at;
      buffer = kernels.buffer;
      assert.ok(!marked());
      new Uint8Array(buffer, at, 1_000).fill(7);
      assert.notEqual(
        withKernels([1_000], (inner) => inner.buffer),
        buffer,
      );
      assert.ok(marked());
      throw new RangeError('failed on purpose');
    });
  for (let time = 0; time < 3; time += 1) {
    assert.throws(mark, RangeError);
    assert.ok(!marked());
  }
});

it('large work has a memory that is not kept', () => {
  const large = withKernels([2 ** 25], ({ buffer }) => buffer);
  assert.notEqual(
    withKernels([2 ** 25], ({ buffer }) => buffer),
    large,
  );
  assert.ok(withKernels([1_000], ({ buffer }) => buffer).byteLength < 2 ** 25);
});
