import assert from 'node:assert/strict';
import test from 'node:test';
import { loosePins, pageDifferences, pageRows } from './dependency-page.ts';

const WS = { name: 'ws', version: '8.23.0', licence: 'MIT' };
const PAGE =
  '# Dependencies\n| package | version | licence | why | sees |\n|---|---|---|---|---|\n| `ws` | 8.23.0 | MIT | links | frames |\n';

test('rows of the page are read', () => assert.deepEqual(pageRows(PAGE), [WS]));

test('a page that agrees has no differences, and each disagreement is one', () => {
  const differences = (actual: typeof WS | null) =>
    pageDifferences(pageRows(PAGE), new Map(actual === null ? [] : [[actual.name, actual]]));
  assert.deepEqual(differences(WS), []);
  assert.match(differences({ ...WS, version: '8.24.0' }).join(), /pinned to 8\.24\.0/);
  assert.match(differences({ ...WS, licence: 'GPL-3.0' }).join(), /licensed GPL-3\.0/);
  assert.match(differences(null).join(), /not a direct dependency/);
  assert.match(pageDifferences([], new Map([['ws', WS]])).join(), /add a row for `ws`/);
});

test('ranges and two versions of one package are refused', () => {
  const workspace = (folder: string, version: string) => ({
    folder,
    manifest: { name: folder, version: '0.1.0', dependencies: { ws: version } },
  });
  assert.deepEqual(loosePins([workspace('a', '8.23.0'), workspace('b', '8.23.0')]), []);
  assert.match(loosePins([workspace('a', '^8.23.0')]).join(), /not an exact version/);
  assert.match(loosePins([workspace('a', '8.23.0'), workspace('b', '8.22.0')]).join(), /elsewhere 8\.23\.0/);
});
