import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ISOLATIONS, type Isolation } from '@ringfence/protocol';
import { isolationUsed } from './isolation-used.ts';

const used = (isolations: readonly Isolation[], isolation: Isolation): Isolation | undefined =>
  isolationUsed({ isolations }, { isolation });

test('a sandbox is used wherever it is enough, and above it the best level present', () => {
  const all: readonly Isolation[] = ['gvisor', 'container', 'sandbox', 'process'];
  assert.equal(used(all, 'process'), 'sandbox');
  assert.equal(used(all, 'sandbox'), 'sandbox');
  assert.equal(used(all, 'container'), 'gvisor');
  assert.equal(used(['container', 'sandbox'], 'container'), 'container');
  assert.equal(used(['gvisor', 'process'], 'process'), 'gvisor');
  assert.equal(used(['process'], 'process'), 'process');
});

test('no level below what is needed is ever used', () => {
  for (const present of ISOLATIONS)
    for (const needed of ISOLATIONS)
      if (ISOLATIONS.indexOf(present) < ISOLATIONS.indexOf(needed)) assert.equal(used([present], needed), undefined);
});
