import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';

test('descriptors that the agent inherited do not pass on to what it starts', () => {
  const module = JSON.stringify(join(import.meta.dirname, 'inherited-descriptors.ts'));
  const list = `execFileSync('/bin/sh', ['-c', 'ls /proc/$$/fd; true']).toString().split('\\n')`;
  const program = `import { execFileSync } from 'node:child_process';
    const { closeInheritedDescriptors } = await import(${module});
    const before = ${list}; const closed = closeInheritedDescriptors(); const after = ${list};
    console.log(JSON.stringify({ before: before.includes('77'), after: after.includes('77'), closed: closed > 0, again: closeInheritedDescriptors() }));`;
  const shell = `exec ${process.execPath} --no-warnings --input-type=module -e '${program.replaceAll("'", `'\\''`)}' 77</dev/null`;
  const { stdout, stderr } = spawnSync('/bin/bash', ['-c', shell], { encoding: 'utf8' });
  assert.equal(stdout, '{"before":true,"after":false,"closed":true,"again":0}\n', stderr);
});
