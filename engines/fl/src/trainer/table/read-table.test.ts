import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { parseCsv } from './csv.ts';
import { readTable, type TableSchema } from './read-table.ts';

const SCHEMA: TableSchema = {
  features: [
    { column: 'height', subtract: 170, divide: 10 },
    { column: 'weight', subtract: 0, divide: 2 },
  ],
  label: 'kind',
  classes: ['a', 'b, c'],
};
const FILE = 'who,kind,weight,height\r\n1,a,80,180\n2,"b, c",-1.5e1,165\n1,a,60,170\n1,a,2,190';

describe('a table', () => {
  test('is read by its schema, whatever the order of its columns', () => {
    const { examples, units } = readTable(FILE, SCHEMA);
    assert.deepEqual([...examples.rows], [1, 40, -0.5, -7.5, 0, 30, 2, 1]);
    assert.deepEqual([...examples.labels], [0, 1, 0, 0]);
    assert.deepEqual([examples.inputs, units], [2, undefined]);
  });

  test('bounds what is far out', () => {
    const { examples } = readTable('kind,weight,height\na,3e38,-1e20\n', SCHEMA);
    assert.deepEqual([...examples.rows], [Math.fround(-1e12), Math.fround(1e12)]);
  });

  test('gives a person no more rows than the cap', () => {
    const { units } = readTable(FILE, SCHEMA, { column: 'who', mostRows: 2 });
    assert.deepEqual(
      units?.map((rows) => [...rows]),
      [[0, 2], [1]],
    );
  });

  test('that does not fit is refused with a place, never with a value', () => {
    const refused: [string, RegExp][] = [
      ['', /no header/],
      ['who,who\n', /twice/],
      ['kind,weight,height\n', /no rows/],
      ['kind,weight\na,1\n', /no column height/],
      ['kind,weight,height\na,1\n', /row 1 has 2 cells, the header 3/],
      ['kind,weight,height\na,1,1\na,SECRET,2\n', /^row 2, column weight is not/],
      ['kind,weight,height\na,,2\n', /^row 1, column weight/],
      ['kind,weight,height\na,0x10,2\n', /^row 1, column weight/],
      ['kind,weight,height\na,1e999,2\n', /^row 1, column weight/],
      ['kind,weight,height\nSECRET,1,2\n', /^row 1, column kind/],
      ['kind,weight,height\n"a,1,2\n', /^row 1 has a quote that nothing closes/],
      ['kind,weight,height\na,1"SECRET,2\n', /^row 1 has a quote within/],
      ['kind,weight,height\n"a"SECRET,1,2\n', /^row 1 goes on/],
    ];
    for (const [text, message] of refused)
      assert.throws(
        () => readTable(text, SCHEMA),
        (error: Error & { code?: string }) => {
          assert.equal(error.code, 'bad-data');
          assert.match(error.message, message);
          return !error.message.includes('SECRET');
        },
        text,
      );
    assert.throws(() => readTable(FILE, SCHEMA, { column: 'name', mostRows: 1 }), { code: 'bad-data' });
  });
});

test('what is written with quotes is read back, and anything else parses or is refused', () => {
  const cell = fc.string({ unit: fc.constantFrom('a', '"', ',', '\n', '\r', ' ', 'é'), maxLength: 4 });
  const quoted = (text: string): string => `"${text.replaceAll('"', '""')}"`;
  fc.assert(
    fc.property(fc.array(fc.tuple(cell, cell), { maxLength: 5 }), (rows) => {
      const text = [['x', 'y'], ...rows].map((row) => row.map(quoted).join(',')).join('\r\n');
      assert.deepEqual(parseCsv(text).rows, rows);
    }),
    { numRuns: 20_000, seed: 4180 },
  );
  const anything = fc.string({ unit: fc.constantFrom('a', '1', '"', ',', '\n', '\r'), maxLength: 16 });
  fc.assert(
    fc.property(anything, (text) => {
      try {
        const { header, rows } = parseCsv(text);
        assert.ok(rows.every(({ length }) => length === header.length));
      } catch (error) {
        assert.equal((error as { code?: string }).code, 'bad-data');
      }
    }),
    { numRuns: 100_000, seed: 4181 },
  );
});
