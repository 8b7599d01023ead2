import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { jsonLine, processTerminal, shown, tableOr } from './terminal.ts';

test('what would command a terminal is shown, not sent; text, tabs and colours stay', () => {
  for (const [text, expected] of [
    ['loss=0.1\tstep 3', 'loss=0.1\tstep 3'],
    ['two\nlines – naïve 日本 🙂', 'two\nlines – naïve 日本 🙂'],
    ['\u001b[1;31mred\u001b[0m plain\u001b[m', '\u001b[1;31mred\u001b[0m plain\u001b[m'],
    ['of Windows\r', 'of Windows'],
    ['10%\r20%', '10%␍20%'],
    ['\u001b]52;c;cm0gLXJm\u0007', '␛]52;c;cm0gLXJm␇'],
    ['\u001b[2J\u001b[1;1H', '␛[2J␛[1;1H'],
    ['\u009b2J\u007f\u0000', '<9b>2J␡␀'],
  ] as const)
    assert.equal(shown(text), expected, JSON.stringify(text));
});

test('nothing but colours is left of any text', () => {
  const nasty = fc.constantFrom(
    '\u001b',
    '\u001b[',
    '[',
    '0',
    ';',
    'm',
    '\r',
    '\n',
    '\u009b',
    '\u0007',
    'x',
    '\u001b[0m',
  );
  fc.assert(
    fc.property(fc.array(nasty, { maxLength: 40 }), (parts) => {
      const left = shown(parts.join(''))
        .split('\u001b')
        .map((part, n) => (n === 0 ? part : part.replace(/^\[[0-9;]*m/, '')));
      assert.equal(
        shown(parts.join(''))
          .split('\u001b')
          .slice(1)
          .filter((part) => !/^\[[0-9;]*m/.test(part)).length,
        0,
      );
      assert.doesNotMatch(left.join(''), /(?![\t\n])\p{Cc}/u);
    }),
    { numRuns: 20_000 },
  );
});

test('JSON holds no control character, and means the same', () => {
  const unit = fc.integer({ min: 0, max: 0xa1 }).map((code) => String.fromCharCode(code));
  fc.assert(
    fc.property(fc.string({ unit }), (text) => {
      const line = jsonLine({ [text]: [text] });
      assert.doesNotMatch(line, /\p{Cc}/u);
      assert.deepEqual(JSON.parse(line), { [text]: [text] });
    }),
    { numRuns: 20_000 },
  );
  assert.equal(jsonLine({ text: '\u009b2J\u007fé' }), String.raw`{"text":"\u009b2J\u007fé"}`);
});

test('a result with --json is written so', (t) => {
  const write = t.mock.method(process.stdout, 'write', () => true);
  processTerminal(true).value({ kind: 'line', text: '\u009d52;c;cm0gLXJm\u009c' });
  const written = write.mock.calls.map(({ arguments: [text] }) => text);
  write.mock.restore();
  assert.deepEqual(written, [`${String.raw`{"kind":"line","text":"\u009d52;c;cm0gLXJm\u009c"}`}\n`]);
});

test('a list that is empty says what to do, and shows no head of a table', () => {
  assert.equal(tableOr('none yet: make one', ['A', 'B'], []), 'none yet: make one');
  assert.equal(tableOr('none yet: make one', ['A', 'B'], [['1', '2']]), 'A  B\n1  2');
});
