import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { describe, it } from 'node:test';
import { epochMs, Secret, utf8 } from '@ringfence/base';
import fc from 'fast-check';
import { matchTotp, readTotp, TOTP_STEP_MS, type Hotp, type TotpCode } from './index.ts';

/** HOTP as RFC 4226, section 5.3 writes it: what the library that a process hands in has to compute. */
const hotp: Hotp = (secret, counter) => {
  const moving = Buffer.alloc(8);
  moving.writeBigUInt64BE(BigInt(counter));
  const mac = createHmac('sha1', secret.expose()).update(moving).digest();
  const offset = (mac[19] ?? 0) & 15;
  return String((mac.readUInt32BE(offset) & 0x7fffffff) % 1_000_000).padStart(6, '0');
};
const secret = new Secret(utf8('12345678901234567890'));
const code = (text: string): TotpCode => readTotp(text) ?? assert.fail();
const match = (text: string, seconds: number, lastStep = -1) =>
  matchTotp({ secret, code: code(text), lastStep, now: epochMs(seconds * 1_000) }, hotp);

describe('a one-time password', () => {
  it('is that of RFC 6238, appendix B (its last six digits), and of RFC 4226, appendix D', () => {
    const vectors = [
      [59, '94287082'],
      [1_111_111_109, '07081804'],
      [1_111_111_111, '14050471'],
      [1_234_567_890, '89005924'],
      [2_000_000_000, '69279037'],
      [20_000_000_000, '65353130'],
    ] as const;
    for (const [seconds, eight] of vectors)
      assert.deepEqual(match(eight.slice(2), seconds), { allow: true, step: Math.floor(seconds / 30) });
    const counters = [
      '755224',
      '287082',
      '359152',
      '969429',
      '338314',
      '254676',
      '287922',
      '162583',
      '399871',
      '520489',
    ];
    for (const [step, text] of counters.entries()) assert.deepEqual(match(text, step * 30), { allow: true, step });
  });

  it('is good one step either side and no further, by the second', () => {
    const at = (seconds: number) => match(hotp(secret, 100), seconds).allow;
    assert.deepEqual([99 * 30 - 1, 99 * 30, 102 * 30 - 1, 102 * 30].map(at), [false, true, true, false]);
  });

  it('is good once, and no older one is good after it', () => {
    for (const step of [99, 100, 101]) {
      const seconds = 100 * 30;
      const text = hotp(secret, step);
      assert.deepEqual(match(text, seconds, step - 1), { allow: true, step });
      assert.deepEqual(match(text, seconds, step), { allow: false, reasons: ['spent'] });
      assert.deepEqual(match(text, seconds, step + 1), { allow: false, reasons: ['spent'] });
    }
    assert.deepEqual(match('000000', 0, -1), { allow: false, reasons: ['wrong'] });
  });

  it('makes as many comparisons whatever was typed', () => {
    let asked = 0;
    const counting: Hotp = (...given) => {
      asked += 1;
      return hotp(...given);
    };
    for (const text of [hotp(secret, 99), hotp(secret, 101), '123456']) {
      asked = 0;
      matchTotp({ secret, code: code(text), lastStep: -1, now: epochMs(100 * TOTP_STEP_MS) }, counting);
      assert.equal(asked, 3);
    }
  });

  it('is spent in rising steps only, in whatever order codes come', () => {
    const tries = fc.array(
      fc.record({ step: fc.integer({ min: 90, max: 110 }), now: fc.integer({ min: 90, max: 110 }) }),
    );
    fc.assert(
      fc.property(tries, (list) => {
        let lastStep = -1;
        for (const { step, now } of list) {
          const decision = match(hotp(secret, step), now * 30, lastStep);
          if (!decision.allow) continue;
          assert.ok(decision.step > lastStep && Math.abs(decision.step - now) <= 1);
          lastStep = decision.step;
        }
      }),
    );
  });

  it('is read out of what people type, and out of nothing else', () => {
    assert.equal(readTotp(' 123 456 '), '123456');
    for (const text of [
      '',
      '12345',
      '1234567',
      '12345a',
      '１２３４５６',
      '123456\n',
      ' '.repeat(40) + '123456',
      '-12345',
    ])
      assert.equal(readTotp(text), undefined, JSON.stringify(text));
    const letters = fc.constantFrom('0', '7', ' ', 'x', '\u0000', '٣');
    const typed = fc.oneof(fc.string({ maxLength: 10 }), fc.string({ unit: letters, maxLength: 12 }));
    fc.assert(
      fc.property(typed, (text) => {
        const read = readTotp(text);
        assert.equal(read !== undefined, /^(?: *\d){6} *$/.test(text));
      }),
      { numRuns: 100_000 },
    );
  });
});
