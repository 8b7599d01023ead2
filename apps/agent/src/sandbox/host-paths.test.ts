import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { atHostPaths, hostPathOf } from './host-paths.ts';

const MOUNTS = [
  { sandboxPath: '/data', hostPath: '/srv/out/d' },
  { sandboxPath: '/data/deep', hostPath: '/srv/deep' },
  { sandboxPath: '/out', hostPath: '/srv/data' },
];

test('replaces paths that stand on their own', () => {
  const cases = [
    ['python t.py --data /data --out /out', 'python t.py --data /srv/out/d --out /srv/data'],
    ['cat "/data/a" \'/out\';ls /data', 'cat "/srv/out/d/a" \'/srv/data\';ls /srv/out/d'],
    ['--in=/data/deep/x:/data', '--in=/srv/deep/x:/srv/out/d'],
    ['/out', '/srv/data'],
  ];
  for (const [text = '', expected] of cases) assert.equal(atHostPaths(text, MOUNTS), expected);
});

test('leaves everything that only looks alike', () => {
  const same = [
    '/database',
    '/data.csv',
    '/data-2',
    'x/data',
    './data',
    '~/data',
    '//data',
    'file:///data',
    '/dat',
    'data',
  ];
  for (const text of same) assert.equal(atHostPaths(text, MOUNTS), text);
});

test('never reads a host path again as a mount path', () => {
  assert.equal(atHostPaths('/data /out', MOUNTS), '/srv/out/d /srv/data');
});

test('treats mount paths as text, not as patterns', () => {
  const odd = [{ sandboxPath: '/a+(b)[c].$', hostPath: '/h' }];
  assert.equal(atHostPaths('x /a+(b)[c].$/y /aab', odd), 'x /h/y /aab');
  const dollars = [{ sandboxPath: '/a', hostPath: '/h/$&/$1' }];
  assert.equal(atHostPaths('/a', dollars), '/h/$&/$1');
});

test('changes nothing when no mount path is in the text', () => {
  const text = fc.string().filter((words) => !words.includes('/data') && !words.includes('/out'));
  fc.assert(fc.property(text, (words) => atHostPaths(words, MOUNTS) === words));
  assert.equal(atHostPaths('/data', []), '/data');
});

test('finds where a path lies', () => {
  assert.equal(hostPathOf('/data/deep/x', MOUNTS), '/srv/deep/x');
  assert.equal(hostPathOf('/data/x', MOUNTS), '/srv/out/d/x');
  assert.equal(hostPathOf('/data', MOUNTS), '/srv/out/d');
  assert.equal(hostPathOf('/database', MOUNTS), null);
});
