// Every way that a draw can go, weighed: no statistics, so nothing that a small bias could hide behind.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Rng } from '@ringfence/base';
import { bernoulli, bernoulliExp, type Fraction } from './bernoulli.ts';
import { discreteLaplace } from './discrete-laplace.ts';
import { uniformBelow } from './uniform.ts';

class ScriptEnded extends Error {}

/** Bytes as written, then nothing. */
function scripted(bytes: readonly number[]): Rng {
  let at = 0;
  return {
    bytes: (count) =>
      Uint8Array.from({ length: count }, () => {
        const byte = bytes[at];
        at += 1;
        if (byte === undefined) throw new ScriptEnded();
        return byte;
      }),
  };
}

/**
 * Probabilities of what `draw` gives, over all scripts of up to `depth` bytes; `bits` high bits of each byte decide. What is not decided by then is `open`.
 */
function distribution<T>(draw: (rng: Rng) => T, bits: number, depth: number): { of: Map<T, number>; open: number } {
  const of = new Map<T, number>();
  let open = 0;
  const follow = (script: readonly number[]): void => {
    const weight = 2 ** (-bits * script.length);
    try {
      const drawn = draw(scripted(script));
      of.set(drawn, (of.get(drawn) ?? 0) + weight);
    } catch (error) {
      if (!(error instanceof ScriptEnded)) throw error;
      if (script.length === depth) open += weight;
      else for (let value = 0; value < 2 ** bits; value += 1) follow([...script, value << (8 - bits)]);
    }
  };
  follow([]);
  return { of, open };
}

const fraction = (over: number, under: number): Fraction => ({ over: BigInt(over), under: BigInt(under) });

test('whole numbers below a limit are equally likely, to the last script', () => {
  for (const limit of [2, 3, 5, 6, 7, 8]) {
    const { of, open } = distribution((rng) => uniformBelow(BigInt(limit), rng), 3, 4);
    assert.equal(of.size, limit);
    for (const share of of.values()) assert.equal(share, (1 - open) / limit);
    assert.ok(open < 0.5 ** 4);
  }
});

test('a coin has its probability, to the last script', () => {
  for (const [over, under] of [
    [1, 2],
    [3, 8],
    [2, 5],
    [0, 3],
    [7, 7],
  ] as const) {
    const { of, open } = distribution((rng) => bernoulli(fraction(over, under), rng), 3, 4);
    assert.ok(Math.abs((of.get(true) ?? 0) - ((1 - open) * over) / under) < 1e-15);
  }
});

test('a coin of e^−rate has it, but for what the scripts leave open', () => {
  for (const [over, under] of [
    [1, 2],
    [1, 1],
    [1, 4],
    [3, 2],
  ] as const) {
    const { of, open } = distribution((rng) => bernoulliExp(fraction(over, under), rng), 4, 4);
    const [heads, wanted] = [of.get(true) ?? 0, Math.exp(-over / under)];
    assert.ok(heads <= wanted && wanted <= heads + open, `${heads} ≤ ${wanted} ≤ ${heads + open}`);
    assert.ok(open < 0.15);
  }
});

test('discrete Laplace values are as likely as they are to be, but for what the scripts leave open', () => {
  const { of, open } = distribution((rng) => discreteLaplace(fraction(1, 1), rng), 2, 9);
  const share = (value: number): number => (-Math.expm1(-1) * Math.exp(-Math.abs(value))) / (1 + Math.exp(-1));
  for (const value of [0, 1, -1, 2]) {
    const got = of.get(BigInt(value)) ?? 0;
    assert.ok(got <= share(value) && share(value) <= got + open, `${value}: ${got} ≤ ${share(value)} ≤ ${got + open}`);
    assert.ok(got > 0.5 * share(value));
  }
  assert.equal(of.get(1n), of.get(-1n));
});
