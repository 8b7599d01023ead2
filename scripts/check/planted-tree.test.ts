import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import test from 'node:test';
import { PLANTED } from './planted-breaches.ts';
import { checkPlanted } from './planted-tree.ts';

const checkout = resolve(import.meta.dirname, '../..');
const RULES = join(checkout, 'dependency-rules.cjs');

/** Runs the planted breaches against the real rules changed by `edit`, a JavaScript statement on `rules` and `rule(name)`. */
async function withRules(edit: string): Promise<string[]> {
  const folder = mkdtempSync(join(tmpdir(), 'ringfence-rules-'));
  const path = join(folder, 'rules.cjs');
  const head = `const rules = require(${JSON.stringify(RULES)}); const rule = (n) => rules.forbidden.find((r) => r.name === n);`;
  writeFileSync(path, `${head}\n${edit};\nmodule.exports = rules;\n`);
  try {
    return await checkPlanted(checkout, path, PLANTED);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

test('a blind rule that looks one hop far misses the barrels', async () => {
  const problems = await withRules(`delete rule('control-plane-is-blind').to.reachable`);
  assert.equal(problems.length, 2, problems.join('\n'));
  for (const problem of problems)
    assert.match(problem, /control-plane-is-blind: did not find the breach .*planted-value/);
});

test('without resolution of package exports, and with a rule nobody planted for, the proof fails', async () => {
  const problems = await withRules(
    `rules.options.enhancedResolveOptions.exportsFields = []; rules.forbidden.push({ ...rules.forbidden[0], name: 'new-rule' })`,
  );
  assert.ok(
    problems.some((problem) => /did not find the breach .*ringfence-crypto-open/.test(problem)),
    problems.join('\n'),
  );
  assert.ok(problems.some((problem) => problem.startsWith('new-rule: no breach')));
});

test('a rule that forbids too much is found by the allowed neighbour', async () => {
  const problems = await withRules(`rule('fl-uses-dp-and-mpc-only').to.path = '^engines/(?!fl/)'`);
  assert.deepEqual(problems.length, 1);
  assert.match(problems[0] ?? '', /refused the allowed import/);
});
