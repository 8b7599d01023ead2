import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import type { CommandContext } from '../command.ts';
import { whileFollowing } from './while-following.ts';

const PROGRAM = `
import { whileFollowing } from ${JSON.stringify(join(import.meta.dirname, 'while-following.ts'))};
const terminal = { note: (text) => void process.stderr.write(text + '\\n') };
setTimeout(() => process.exit(3), 60_000);
await whileFollowing({ terminal }, 'the job goes on', () => {
  process.stdout.write('following');
  return new Promise(() => {});
});
`;

test('Ctrl-C while a job is followed says that it goes on, and ends the process as it would have', async () => {
  const child = spawn(process.execPath, ['--input-type=module', '--eval', PROGRAM], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const said = text(child.stderr);
  await once(child.stdout, 'data');
  child.kill('SIGINT');
  assert.deepEqual(await once(child, 'close'), [null, 'SIGINT']);
  assert.equal(await said, 'the job goes on\n');
});

test('it leaves no listener behind, whether the following ends well or not', async () => {
  const context = { terminal: { note: assert.fail } } as unknown as CommandContext;
  const before = process.listenerCount('SIGINT');
  assert.equal(await whileFollowing(context, '', () => Promise.resolve(1)), 1);
  await assert.rejects(
    whileFollowing(context, '', () => Promise.reject(new Error('gone'))),
    /gone/,
  );
  assert.equal(process.listenerCount('SIGINT'), before);
});
