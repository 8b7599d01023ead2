import assert from 'node:assert/strict';
import { test } from 'node:test';
import { epochOfOrigin, originOf } from '@ringfence/ledger/tlog';
import fc from 'fast-check';
import { judgeEpoch } from './shown-epoch.ts';

const epoch = fc.integer({ min: 1, max: 9 });

test('a log counts for what the keyring stated before it was shown or after, and never for less or more', () => {
  fc.assert(
    fc.property(fc.option(epoch, { nil: undefined }), epoch, fc.nat(3), (shown, before, rise) => {
      const after = before + rise;
      const verdict = judgeEpoch(shown, { before, after });
      assert.equal(verdict === 'stated', shown === before || shown === after);
      assert.equal(verdict === 'old-epoch', shown !== undefined && shown < before);
      assert.equal(verdict === 'unstated-epoch', shown === undefined || shown > after);
    }),
  );
});

test('without a head that is accepted nobody is accused of a rise, and nothing of it is taken', () => {
  assert.equal(judgeEpoch(3, { before: 2, after: undefined }), 'unknown');
  assert.equal(judgeEpoch(undefined, { before: 2, after: undefined }), 'unknown');
  assert.equal(judgeEpoch(1, { before: 2, after: undefined }), 'old-epoch');
  assert.equal(judgeEpoch(2, { before: 2, after: undefined }), 'stated');
});

test('only the name that a log is given is a name of its epoch', () => {
  fc.assert(fc.property(epoch, (given) => assert.equal(epochOfOrigin(originOf('k', 'o', given), 'k', 'o'), given)));
  for (const other of ['ringfence/k/o/1', 'ringfence/k/o/02', 'ringfence/k/o/2/', 'ringfence/k/p', 'ringfence/k/o/2e0'])
    assert.equal(epochOfOrigin(other, 'k', 'o'), undefined, other);
});
