import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { randomBelow, seededRng } from '@ringfence/base';
import { SigningKey } from '@ringfence/crypto/sign';
import { KeyringError } from './keyring-error.ts';
import { makeRecoveryKit, parseRecoveryKey, printRecoveryKey } from './recovery-kit.ts';

/** `npm test` takes a tenth of them. */
const CASES = process.env['RINGFENCE_TEST_FULL'] === '1' ? 100_000 : 10_000;

const seed = Number(process.env['FUZZ_SEED'] ?? 20_270_118);
console.log(`seed ${seed} (FUZZ_SEED)`);
Error.stackTraceLimit = 0;
const rng = seededRng('kit');
const printed = (key: SigningKey): string => Buffer.from(printRecoveryKey(key).expose()).toString();

describe('a recovery kit', () => {
  it('has as many different keys as asked for, and the rule that names them', () => {
    const { recovery, keys } = makeRecoveryKit(rng, { threshold: 2, count: 3 });
    assert.equal(recovery.threshold, 2);
    assert.deepEqual(
      recovery.keys,
      keys.map(({ publicKey }) => publicKey),
    );
    assert.equal(new Set(recovery.keys).size, 3);
  });

  it('is refused where it could not work', () => {
    for (const [threshold, count] of [
      [0, 1],
      [2, 1],
      [8, 9],
      [1, 17],
      [1.5, 2],
      [Number.NaN, 1],
      [1, 0],
    ] as const) {
      assert.throws(() => makeRecoveryKit(rng, { threshold, count }), { code: 'bad-recovery' });
    }
    assert.equal(makeRecoveryKit(rng, { threshold: 7, count: 16 }).keys.length, 16);
  });
});

describe('a printed recovery key', () => {
  const key = SigningKey.generate(rng);
  const text = printed(key);

  it('has groups of four plain letters', () => {
    assert.match(text, /^rfk1(?:-[a-z2-7]{4}){14}$/);
    assert.equal(String(printRecoveryKey(key)), '[secret]');
  });

  it('reads back, however it was typed', () => {
    for (const typed of [text, text.toUpperCase(), text.replaceAll('-', ' '), ` ${text.replaceAll('-', '')}\n`]) {
      assert.equal(parseRecoveryKey(typed).publicKey, key.publicKey);
    }
    for (let round = 0; round < 200; round += 1) {
      const other = SigningKey.generate(rng);
      assert.equal(parseRecoveryKey(printed(other)).publicKey, other.publicKey);
    }
  });

  it('names what is wrong and repeats nothing', () => {
    const cases: [string, RegExp][] = [
      ['', /begins with rfk1/],
      [text.replace('rfk1', 'rfk2'), /begins with rfk1/],
      [text.slice(0, -1), /14 groups of four/],
      [`${text}a`, /14 groups of four/],
      [text.replace(/.$/, '0'), /a to z/],
      [text.replace(/-([a-z2-7])/, (_, letter: string) => `-${letter === 'a' ? 'b' : 'a'}`), /check letters/],
      ['x'.repeat(100_000), /begins with rfk1/],
    ];
    for (const [typed, problem] of cases) {
      assert.throws(() => parseRecoveryKey(typed), { code: 'bad-recovery-key', message: problem });
    }
  });

  it('finds every slip of one letter and every exchange of two neighbours', () => {
    const letters = text.replaceAll('-', '');
    for (let at = 4; at < letters.length; at += 1) {
      for (const letter of 'abcdefghijklmnopqrstuvwxyz234567') {
        const slip = letters.slice(0, at) + letter + letters.slice(at + 1);
        if (slip !== letters) assert.throws(() => parseRecoveryKey(slip), { code: 'bad-recovery-key' });
      }
      const swapped = letters.slice(0, at) + (letters[at + 1] ?? '') + (letters[at] ?? '') + letters.slice(at + 2);
      if (swapped !== letters) assert.throws(() => parseRecoveryKey(swapped), { code: 'bad-recovery-key' });
    }
  });

  it(`of ${CASES} mangled texts reads none that is not the same`, () => {
    const fuzz = seededRng(`recovery ${seed}`);
    const alphabet = 'abz27019-ABZ \n%ß'.split('');
    for (let round = 0; round < CASES; round += 1) {
      const at = randomBelow(fuzz, text.length);
      const letter = alphabet[randomBelow(fuzz, alphabet.length)] ?? '';
      const mangled = text.slice(0, at) + letter + text.slice(at + randomBelow(fuzz, 3));
      const plain = mangled.toLowerCase().replaceAll(/[\s-]/g, '') === text.replaceAll('-', '');
      try {
        assert.equal(parseRecoveryKey(mangled).publicKey, key.publicKey);
        assert.ok(plain, `round ${round}`);
      } catch (error) {
        assert.ok(error instanceof KeyringError && !plain, `round ${round}`);
      }
    }
  });
});
