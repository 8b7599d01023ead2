import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { it } from 'node:test';
import { build } from 'esbuild';
import { TRAINER_TEXT } from './generated/trainer-text.ts';

const WRITE = 'RINGFENCE_WRITE_TRAINER';

it('the trainer that is checked in is what its sources make', async () => {
  const { outputFiles } = await build({
    absWorkingDir: resolve(import.meta.dirname, '../../../../..'),
    entryPoints: ['apps/agent/src/federation/trainer/trainer-main.ts'],
    bundle: true,
    write: false,
    platform: 'node',
    target: 'node24',
    format: 'esm',
    legalComments: 'none',
    minifyWhitespace: true,
    minifySyntax: true,
    charset: 'ascii',
  });
  const text = outputFiles[0]?.text ?? '';
  if (process.env[WRITE] === '1')
    writeFileSync(
      join(import.meta.dirname, 'generated/trainer-text.ts'),
      `/** trainer-main.ts and what it needs as one program; written by \`${WRITE}=1\` and trainer-text.test.ts. */\nexport const TRAINER_TEXT =\n  ${JSON.stringify(text)};\n`,
    );
  else assert.equal(TRAINER_TEXT === text, true, `run this test again with ${WRITE}=1`);
});
