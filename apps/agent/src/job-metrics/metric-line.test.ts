import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { metricLabelName, metricLabelValue, metricName } from '@ringfence/protocol/payload';
import fc from 'fast-check';
import { parseMetricLine } from './metric-line.ts';

/** `npm test` takes a tenth of them. */
const CASES = process.env['RINGFENCE_TEST_FULL'] === '1' ? 100_000 : 10_000;

const SEED = 20_261_122;

function refusalOf(line: string): string | undefined {
  const parsed = parseMetricLine(line);
  return parsed.ok ? undefined : parsed.refusal;
}

describe('a line of metrics', () => {
  it('is a name, labels, a number and a step', () => {
    assert.deepEqual(parseMetricLine('loss 0.3'), {
      ok: true,
      reported: { name: 'loss', labels: {}, value: 0.3, step: undefined },
    });
    assert.deepEqual(parseMetricLine('val/loss{split="held out",fold="} 3"} -1.5e-7 step=12'), {
      ok: true,
      reported: { name: 'val/loss', labels: { fold: '} 3', split: 'held out' }, value: -1.5e-7, step: 12 },
    });
  });

  it('names one series in one way, whatever the order of its labels', () => {
    const [one, other] = ['a{x="1",b="2"} 1', 'a{b="2",x="1"} 1'].map(parseMetricLine);
    assert.deepEqual(JSON.stringify(one), JSON.stringify(other));
  });

  for (const number of ['1', '-1', '+1', '1.', '.5', '1e3', '1E-300', '0.1e+5'])
    it(`takes ${number}`, () => assert.equal(refusalOf(`x ${number}`), undefined));

  for (const number of ['nan', 'NaN', '-inf', 'Infinity', '1e999'])
    it(`says that ${number} is no number`, () => assert.equal(refusalOf(`x ${number}`), 'not-finite'));

  const malformed = [
    '',
    'x',
    'x ',
    ' x 1',
    'x  1',
    'x 1 ',
    'x 0x10',
    'x 1_000',
    'x 1,5',
    'x . ',
    'x e5',
    '9x 1',
    'x{} 1',
    'x{a=1} 1',
    'x{a="1",} 1',
    'x{a="1",a="2"} 1',
    'x{a="1" b="2"} 1',
    'x{a="\\n"} 1',
    'x{a="\u001b[2J"} 1',
    'x{a="\u202e"} 1',
    'x{a="1",b="2",c="3",d="4",e="5"} 1',
    `x{a="${'v'.repeat(65)}"} 1`,
    `${'n'.repeat(65)} 1`,
    'x 1 step=-1',
    'x 1 step=1.5',
    'x 1 step=9007199254740992',
    'x 1 steps=1',
    'x\u00e9 1',
    '!lost -1',
    '!lost',
    '__proto__{__proto__="x",__proto__="x"} 1',
  ];
  for (const line of malformed) it(`refuses ${JSON.stringify(line)}`, () => assert.equal(refusalOf(line), 'malformed'));

  it('counts what its writer lost', () =>
    assert.deepEqual(parseMetricLine('!lost 12'), { ok: false, refusal: 'lost', count: 12 }));

  it(`gives nothing but what the protocol allows, for ${CASES} hostile lines (seed ${SEED})`, () => {
    const piece = fc.constantFrom(
      'loss',
      '{',
      '}',
      'a="b"',
      ',',
      '"',
      '\\',
      ' ',
      '1',
      '-',
      'e9',
      '.',
      'nan',
      ' step=',
      '9'.repeat(17),
      '\u0000',
      '\u2028',
      'é',
      '!lost ',
    );
    const near = fc
      .tuple(
        fc.constantFrom('loss', 'val/loss', '9', ''),
        fc.constantFrom('', '{a="b"}', '{a="b",c="}"}', '{a="\u0085"}', '{a="b"'),
        fc.oneof(
          fc.constantFrom(' 1', ' ', ' -1e-9', ' inf'),
          fc.double().map((number) => ` ${number}`),
        ),
        fc.constantFrom('', ' step=3', ' step=99999999999999999'),
      )
      .map((parts) => parts.join(''));
    const line = fc.oneof(
      near,
      fc.array(piece, { maxLength: 12 }).map((parts) => parts.join('')),
      fc.string({ unit: 'binary', maxLength: 64 }),
    );
    let taken = 0;
    fc.assert(
      fc.property(line, (text) => {
        const parsed = parseMetricLine(text);
        if (!parsed.ok) return;
        taken += 1;
        const { name, labels, value, step } = parsed.reported;
        assert.ok(metricName.safeParse(name).success && Number.isFinite(value));
        assert.ok(step === undefined || Number.isSafeInteger(step));
        assert.ok(Object.keys(labels).length <= 4);
        for (const [label, content] of Object.entries(labels))
          assert.ok(metricLabelName.safeParse(label).success && metricLabelValue.safeParse(content).success);
      }),
      { numRuns: CASES, seed: SEED },
    );
    assert.ok(taken > CASES / 100, `only ${taken} of them are metrics`);
  });
});
