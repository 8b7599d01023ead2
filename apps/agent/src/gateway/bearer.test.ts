import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { bearerToken, checkToken, knownToken } from './bearer.ts';

const NOW = 1_800_000_000_000;
const text = (letter: string): string => `rfe_${letter.repeat(43)}`;
const known = (of: string, expires = NOW + 1) =>
  knownToken({ digest: createHash('sha256').update(of).digest('hex'), expires, limits: {} });

describe('a token', () => {
  it('is found among others, and only while it has not expired', () => {
    const tokens = [known(text('a')), known(text('b')), known(text('c'), NOW)];
    const found = checkToken(text('b'), tokens, NOW);
    assert.equal(found.allow && found.token, tokens[1]);
    assert.deepEqual(checkToken(text('c'), tokens, NOW), { allow: false, reasons: ['expired'] });
    assert.deepEqual(checkToken(text('d'), tokens, NOW), { allow: false, reasons: ['unknown'] });
    assert.deepEqual(checkToken(text('a'), [], NOW), { allow: false, reasons: ['unknown'] });
    assert.deepEqual(checkToken(undefined, tokens, NOW), { allow: false, reasons: ['missing'] });
  });

  it('is read from a bearer header and nothing that only looks like one', () => {
    assert.equal(bearerToken(`Bearer ${text('x')}`), text('x'));
    assert.equal(bearerToken(`bearer ${text('x')}`), text('x'));
    const others = [
      `Basic ${text('x')}`,
      text('x'),
      `Bearer  ${text('x')}`,
      `Bearer ${text('x')}, Bearer ${text('y')}`,
    ];
    for (const header of [undefined, '', `Bearer ${text('x')}=`, ...others])
      assert.equal(bearerToken(header), undefined);
    fc.assert(
      fc.property(fc.string({ maxLength: 80 }), (header) => {
        const token = bearerToken(header);
        return token === undefined || /^rfe_[\w-]{43}$/.test(token);
      }),
      { numRuns: 100_000 },
    );
  });
});
