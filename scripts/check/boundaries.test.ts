import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import test from 'node:test';
import { checkBoundaries } from './boundaries.ts';

const checkout = resolve(import.meta.dirname, '../..');
const RULES = join(checkout, 'dependency-rules.cjs');

/** More than half of the tree, and what is planted does not need them. */
const TESTS = /\.(test|fixture)\.ts$/;

/** Runs the planted breaches against the real rules changed by `edit`, a JavaScript statement on `rules` and `rule(name)`. */
async function withRules(edit: string): Promise<string[]> {
  const folder = mkdtempSync(join(tmpdir(), 'ringfence-rules-'));
  const path = join(folder, 'rules.cjs');
  const head = `const rules = require(${JSON.stringify(RULES)}); const rule = (n) => rules.forbidden.find((r) => r.name === n);`;
  writeFileSync(path, `${head}\n${edit};\nmodule.exports = rules;\n`);
  try {
    return await checkBoundaries(checkout, path, TESTS);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

test('a weakened rule, one that forbids too much, one without a breach and a broken arrow are each reported', async () => {
  const problems = await withRules(`
    delete rule('control-plane-is-blind').to.reachable;
    rule('fl-uses-dp-and-mpc-only').to.path = '^engines/(?!fl/)';
    const from = { path: '^scripts/check[.]ts$' };
    const to = { path: 'planted-tree', reachable: true };
    rules.forbidden.push({ name: 'new-rule', severity: 'error', from, to });
  `);
  const about = (text: string) => problems.filter((problem) => problem.includes(text));
  // One hop of sight sees the direct breaches and misses the two barrels, one for each blind app.
  assert.equal(about('control-plane-is-blind').length, 2, problems.join('\n'));
  for (const problem of about('control-plane-is-blind'))
    assert.match(problem, /did not find the planted breach .*ringfence-planted/);
  assert.match(about('fl-uses-dp-and-mpc-only').join(), /refused the allowed import/);
  assert.deepEqual(about('new-rule'), [
    'new-rule: scripts/check.ts → scripts/check/boundaries.ts → scripts/check/planted-tree.ts',
    'new-rule: no breach of this rule is planted; add one to planted-breaches.ts',
  ]);
});

test('without resolution of package exports every proof by package name fails', async () => {
  const problems = await withRules(`rules.options.enhancedResolveOptions.exportsFields = []`);
  const unseen = problems.filter((problem) => /did not find the planted breach .*ringfence-crypto-open/.test(problem));
  assert.equal(unseen.length, 2, problems.join('\n'));
});
