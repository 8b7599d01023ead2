import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ManualClock, Secret, systemRng as rng } from '@ringfence/base';
import type { KekErrorCode } from '../../custodian-error.ts';
import { kekError, type WrappedKek } from '../kek-provider.ts';
import { budgetedProvider } from './budgeted-provider.ts';
import type { KekBackend } from './kek-backend.ts';
import { PLACE, refused, someKey } from './provider-proof.fixture.ts';

const WRAPPED: WrappedKek = { keyVersion: '1', wrapped: new Uint8Array(60) };
const BUDGET = { within: 250, keepFor: 0 };

/** A backend whose calls all do `run`, and how often they were made. */
function backend(run: (signal: AbortSignal) => Promise<never>): KekBackend & { calls: number } {
  const made = {
    kind: 'gateway' as const,
    calls: 0,
    wrap: (_: unknown, __: unknown, signal: AbortSignal) => count(signal),
    unwrap: (_: unknown, __: unknown, signal: AbortSignal) => count(signal),
    rotate: (signal: AbortSignal) => count(signal),
    destroy: (_: unknown, signal: AbortSignal) => count(signal),
    close: async () => {},
  };
  const count = (signal: AbortSignal): Promise<never> => {
    made.calls += 1;
    return run(signal);
  };
  return made;
}

test('what does not answer is given up when its time is over, not sooner, and is told so', async () => {
  const clock = new ManualClock();
  const signals: AbortSignal[] = [];
  const silent = backend((signal) => {
    signals.push(signal);
    return new Promise(() => {});
  });
  const provider = budgetedProvider(silent, BUDGET, { clock, rng });
  let ended = '';
  const asked = provider.unwrap(WRAPPED, PLACE).catch((error: { code: string }) => (ended = error.code));
  clock.advance(249);
  await new Promise(setImmediate);
  assert.deepEqual([ended, signals[0]?.aborted], ['', false]);
  clock.advance(1);
  await asked;
  assert.deepEqual([ended, signals[0]?.aborted], ['kek-slow', true]);
  const health = provider.health();
  await new Promise(setImmediate);
  clock.advance(250);
  assert.deepEqual(await health, { usable: false, code: 'kek-slow' });
});

test('only what cannot be reached is asked again, three times in all, and within the same time', async () => {
  const clock = new ManualClock();
  const codes: [Error, KekErrorCode, number][] = [
    [kekError('kek-unavailable'), 'kek-unavailable', 3],
    [new Error('of a library'), 'kek-unavailable', 3],
    [kekError('kek-denied'), 'kek-denied', 1],
    [kekError('kek-tampered'), 'kek-tampered', 1],
    [kekError('kek-destroyed'), 'kek-destroyed', 1],
  ];
  for (const [error, code, calls] of codes) {
    const failing = backend(() => Promise.reject(error));
    const provider = budgetedProvider(failing, BUDGET, { clock, rng });
    const asked = refused(code, () => provider.wrap(someKey(), PLACE));
    for (let turn = 0; turn < 8; turn += 1) {
      await new Promise(setImmediate);
      clock.advance(20);
    }
    await asked;
    assert.equal(failing.calls, calls, code);
  }
});

test('nothing is rotated or destroyed twice for one wish', async () => {
  const failing = backend(() => Promise.reject(kekError('kek-unavailable')));
  const provider = budgetedProvider(failing, BUDGET, { clock: new ManualClock(), rng });
  await refused('kek-unavailable', () => provider.rotate());
  await refused('kek-unavailable', () => provider.destroy('1'));
  assert.equal(failing.calls, 2);
});

test('a sign of life is a key that comes back as it was', async () => {
  const box = (answer: (plaintext: Uint8Array) => Uint8Array): KekBackend => {
    let kept = new Uint8Array();
    return {
      ...backend(() => Promise.reject(kekError('kek-denied'))),
      wrap: async (plaintext) => {
        kept = Uint8Array.from(plaintext.expose());
        return WRAPPED;
      },
      unwrap: async () => new Secret(answer(kept)),
    };
  };
  const health = (answer: (plaintext: Uint8Array) => Uint8Array) =>
    budgetedProvider(box(answer), BUDGET, { clock: new ManualClock(), rng }).health();
  assert.deepEqual(await health((plaintext) => plaintext), { usable: true, keyVersion: '1' });
  assert.deepEqual(await health(() => new Uint8Array(32)), { usable: false, code: 'kek-tampered' });
  assert.deepEqual(await health(() => new Uint8Array(31)), { usable: false, code: 'kek-tampered' });
});
