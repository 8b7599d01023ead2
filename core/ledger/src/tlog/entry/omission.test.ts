import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OmissionCheck } from './omission.ts';

test('statements that a journal holds and the log leaves out are named, with the place where they belong', () => {
  const digest = (at: number): string => at.toString(16).padStart(64, '0');
  const check = new OmissionCheck([1, 5, 7, 9].map((at) => ({ digest: digest(at), at: at * 1000 })));
  for (let seq = 0; seq < 10; seq += 1)
    check.take({ seq, at: seq * 1000 + 100, statements: seq === 5 || seq === 7 ? [] : [digest(seq)] });
  assert.deepEqual(
    check.end(1000).map(({ statement, before }) => [statement.at, before]),
    [
      [5000, 5],
      [7000, 7],
    ],
  );
  assert.deepEqual(
    check.end(3000).map(({ statement }) => statement.at),
    [5000],
    'what is young may still come',
  );
});
