import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findPackage, parseLinks } from './binaries.ts';

test('library links stay inside native/lib', () => {
  const link = { source: 'native/lib/libicuuc.so.60.2', target: 'native/lib/libicuuc.so.60' };
  assert.deepEqual(parseLinks(JSON.stringify([link])), [{ source: 'libicuuc.so.60.2', target: 'libicuuc.so.60' }]);
  for (const target of ['native/lib/../x', '/etc/passwd', 'native/lib/a/b', 'native/lib/', 'native/lib/..', 5])
    assert.throws(() => parseLinks(JSON.stringify([{ ...link, target }])), TypeError);
  assert.throws(() => parseLinks('{}'), TypeError);
});

test('a platform without a package is refused by name', () => {
  assert.throws(() => findPackage('riscv64'), { code: 'unsupported-platform' });
});
