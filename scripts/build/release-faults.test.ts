import assert from 'node:assert/strict';
import { resolve } from 'node:path';
import { test } from 'node:test';
import { build } from 'esbuild';
import { HOW } from './bundle.ts';

const ENTRY = resolve(import.meta.dirname, '../../core/base/src/platform/fault-setting.ts');
const FAULT = 'RINGFENCE_FAULT';

async function bundled(how: object): Promise<string> {
  const { outputFiles } = await build({ ...HOW, ...how, entryPoints: [ENTRY] });
  return new TextDecoder().decode(outputFiles[0]?.contents);
}

test('a release knows nothing of the variable by which tests kill a process', async () => {
  assert.ok(!(await bundled({})).includes(FAULT));
  // The control: it is the release's setting that takes it out.
  assert.ok((await bundled({ define: {} })).includes(FAULT));
});
