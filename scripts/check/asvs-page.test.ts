import assert from 'node:assert/strict';
import test from 'node:test';
import { asvsProblems, asvsRows, countProblems, requiredIds } from './asvs-page.ts';

const LEVELS = { 'V1.1.1': 2, 'V2.1.1': 3, 'V6.1.1': 3 };
const files: Readonly<Record<string, string>> = { 'a.test.ts': "test('refuses it')", 'a.ts': 'refuse()' };
const problems = (...rows: string[]) => asvsProblems(asvsRows(rows.join('\n')), LEVELS, (path) => files[path]);
const GOOD = [
  '| V1.1.1 | 2 | test | `a.test.ts#refuses it` | - |',
  '| V6.1.1 | 3 | n/a |  | there is no such thing here at all |',
];

test('levels 1 and 2 count, and 3 where it is asked', () =>
  assert.deepEqual(requiredIds(LEVELS), ['V1.1.1', 'V6.1.1']));

test('a page with a row for each has no problems', () => assert.deepEqual(problems(...GOOD), []));

for (const [what, row, expected] of [
  ['a missing row', '', /V1\.1\.1 has no row/],
  ['a second row', `${GOOD[0]}\n${GOOD[0]}`, /two rows/],
  ['an unknown requirement', `${GOOD[0]}\n| V9.9.9 | 1 | code | \`a.ts\` | - |`, /no such requirement/],
  ['another level', '| V1.1.1 | 1 | code | `a.ts` | - |', /of level 2/],
  ['another way', '| V1.1.1 | 2 | hope | `a.ts` | - |', /none of/],
  ['a file that is not there', '| V1.1.1 | 2 | code | `b.ts` | - |', /not there/],
  ['words that the file does not have', '| V1.1.1 | 2 | code | `a.ts#allow()` | - |', /does not say/],
  ['code that is called a test', '| V1.1.1 | 2 | test | `a.ts` | - |', /no test/],
  ['code before its test', '| V1.1.1 | 2 | test | `a.ts` `a.test.ts` | - |', /no test/],
  ['a place that is not named', '| V1.1.1 | 2 | code | somewhere | - |', /names no place/],
  ['n/a without a reason', '| V1.1.1 | 2 | n/a |  | no |', /says no reason/],
] as const)
  test(`${what} is a problem`, () => assert.match(problems(row, GOOD[1] ?? '').join('\n'), expected));

const COUNTED = `In all: 1 test, 0 code, 1 n/a, 0 open.

## V1: one

1 test, 0 code, 0 n/a, 0 open

${GOOD[0]}

## V6: six

0 test, 0 code, 1 n/a, 0 open

${GOOD[1]}
`;

test('the page counts its rows, in all and by chapter', () => {
  assert.deepEqual(countProblems(COUNTED), []);
  for (const [counts, where] of [
    ['1 test, 0 code, 1 n/a', 'its top'],
    ['1 test, 0 code, 0 n/a', 'V1'],
    ['0 test, 0 code, 1 n/a', 'V6'],
  ] as const)
    assert.match(
      countProblems(COUNTED.replace(counts, '7 test')).join('\n'),
      new RegExp(`^docs/asvs.md: ${where} does`),
    );
});
