import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { test } from 'node:test';
import fc from 'fast-check';
import { inFrontOf, ShownBytes } from './terminal-stream.ts';
import { shown } from './terminal.ts';

test('bytes are shown as their text is, wherever they are cut', () => {
  const part = fc.constantFrom('\u001b', '[', '1;31', 'm', '\r', '\n', '\u009b', '\u0007', 'é', '🙂', 'x', '\u0000');
  fc.assert(
    fc.property(fc.array(part, { maxLength: 30 }), fc.array(fc.nat(60), { maxLength: 8 }), (parts, cuts) => {
      const whole = Buffer.from(parts.join(''));
      const bytes = new ShownBytes();
      let [from, text] = [0, ''];
      for (const cut of cuts.toSorted((a, b) => a - b)) {
        text += bytes.push(whole.subarray(from, Math.max(from, cut)));
        from = Math.max(from, cut);
      }
      assert.equal(text + bytes.push(whole.subarray(from)) + bytes.end(), shown(parts.join('')));
    }),
    { numRuns: 20_000 },
  );
});

test('a terminal is commanded only by wish; files and pipes get every byte as it is', async () => {
  const clipboard = '\u001b]52;c;cm0gLXJm\u0007\u009b2J';
  for (const [isTTY, raw, expected] of [
    [true, false, '␛]52;c;cm0gLXJm␇<9b>2J'],
    [true, true, clipboard],
    [false, false, clipboard],
  ] as const) {
    const to = Object.assign(new PassThrough(), { isTTY });
    const { stream, end } = inFrontOf(to, raw);
    for (const byte of Buffer.from(clipboard)) stream.write(Buffer.of(byte));
    await end();
    to.end();
    assert.equal(Buffer.concat(await to.toArray()).toString(), expected);
  }
});
