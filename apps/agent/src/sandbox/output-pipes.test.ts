import assert from 'node:assert/strict';
import { closeSync, fstatSync, mkdtempSync, openSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { openOutputPipes } from './output-pipes.ts';

test('closing the writer twice leaves alone whoever has its number by then', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'ringfence-pipes-'));
  const pipes = await openOutputPipes(folder, null);
  try {
    for (const pipe of pipes) pipe.closeWriter();
    const heirs = pipes.map(() => openSync('/dev/null', 'r'));
    assert.deepEqual(
      heirs.toSorted((a, b) => a - b),
      pipes.map(({ writeFd }) => writeFd).toSorted((a, b) => a - b),
      'the numbers are used again',
    );
    for (const pipe of pipes) pipe.closeWriter();
    for (const heir of heirs) {
      assert.ok(fstatSync(heir).isCharacterDevice());
      closeSync(heir);
    }
  } finally {
    for (const pipe of pipes) pipe.abandon();
    rmSync(folder, { recursive: true, force: true });
  }
});
