import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { takeClaim } from './take-claim.ts';

const alive = new Set(['one', 'two']);
const isAlive = (claimed: string): boolean => alive.has(claimed);

function claims(t: TestContext): { folder: string; path: string } {
  const folder = mkdtempSync(join(tmpdir(), 'ringfence-claim-'));
  t.after(() => rmSync(folder, { recursive: true }));
  return { folder, path: join(folder, '61184') };
}

describe('a claim', () => {
  it('is taken where there is none or its owner is dead, and leaves nothing beside it', (t) => {
    const { folder, path } = claims(t);
    assert.ok(takeClaim(path, { owner: 'one', isAlive }));
    assert.ok(!takeClaim(path, { owner: 'two', isAlive }));
    for (const dead of ['three', '']) {
      writeFileSync(path, dead);
      assert.ok(takeClaim(path, { owner: 'two', isAlive }));
      assert.equal(readFileSync(path, 'utf8'), 'two');
    }
    assert.deepEqual(readdirSync(folder), ['61184']);
  });

  it('of a dead owner is one agent’s, whenever between the steps of one another takes it', (t) => {
    for (const moment of [1, 2]) {
      const { folder, path } = claims(t);
      writeFileSync(path, 'dead');
      const got: string[] = [];
      let looks = 0;
      // Another agent starts, and takes what it can, at each look that this one takes at the dead agent's claim.
      const whileLooking = (claimed: string): boolean => {
        looks += 1;
        const seen = isAlive(claimed);
        if (looks === moment && takeClaim(path, { owner: 'two', isAlive })) got.push('two');
        return seen;
      };
      if (takeClaim(path, { owner: 'one', isAlive: whileLooking })) got.push('one');
      assert.equal(got.length, 1, `at look ${moment}: ${got.join(' and ')}`);
      assert.deepEqual([readFileSync(path, 'utf8')], got);
      assert.deepEqual(readdirSync(folder), ['61184']);
    }
  });
});
