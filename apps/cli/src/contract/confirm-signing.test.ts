import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SampleContract } from '@ringfence/keyring/samples';
import { confirmSigning, type ReadBefore } from './confirm-signing.ts';
import { digestOf } from './contract-lines.ts';

const file = new SampleContract('signing').file([]);
const digest = digestOf(file);
/** What was said on the way to a signature that nobody is there to agree to. */
async function unwatched(read: Partial<ReadBefore>): Promise<string[]> {
  const notes: string[] = [];
  const nothing = (): void => {};
  const terminal = { json: false, watched: false, line: nothing, value: nothing, raw: nothing };
  const context = {
    stdin: { isTTY: false } as NodeJS.ReadStream,
    terminal: { ...terminal, note: (text: string) => void notes.push(text) },
  };
  await confirmSigning(context, file, { digest: undefined, yes: false, ...read });
  return notes;
}

test('nothing is signed unread: by its digest, or a yes to whatever the file holds, which is named', async () => {
  await unwatched({ digest });
  await unwatched({ digest: digest.slice(0, 8) });
  assert.deepEqual(await unwatched({ yes: true }), [`signing contract ${digest}`]);
  await assert.rejects(unwatched({}), { code: 'usage' });
});

test('a file that holds another contract than was read is not signed, whatever else is said', async () => {
  const other = digestOf(new SampleContract('another').file([]));
  await assert.rejects(unwatched({ digest: other }), { code: 'check-failed' });
  await assert.rejects(unwatched({ digest: other, yes: true }), { code: 'check-failed' });
  for (const short of ['', digest.slice(0, 7)]) await assert.rejects(unwatched({ digest: short }), { code: 'usage' });
});
