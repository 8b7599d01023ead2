import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { CLONE_NEW_FLAGS, SOCKET_FAMILIES } from '../sandbox/seccomp.ts';
import { DENIED_SYSCALLS, NAMED_SYSCALLS } from '../sandbox/syscalls.ts';
import { seccompProfile } from './seccomp-profile.ts';

const PROFILE = seccompProfile('x64');

/** The errno of a call by the profile, as libseccomp reads it: any rule that matches denies; null allows. */
function errnoOf(call: string, args: readonly bigint[]): number | null {
  const rule = PROFILE.syscalls.find(
    ({ names, args: wanted = [] }) =>
      names.includes(call) &&
      wanted.every(({ index, value, valueTwo }) => ((args[index] ?? 0n) & BigInt(value)) === BigInt(valueTwo)),
  );
  return rule?.errnoRet ?? null;
}

/** 64 bits, of which the low word is what the kernel reads; often one that matters. */
const word = fc.oneof(
  fc.bigInt(0n, 2n ** 64n - 1n),
  fc
    .tuple(fc.bigInt(0n, 2n ** 32n - 1n), fc.integer({ min: 0, max: 70 }))
    .map(([high, low]) => (high << 32n) + BigInt(low)),
  fc.constantFrom(0n, 0xffff_ffffn, 0x5412n, 0x541cn, 2n ** 32n + 0x5412n, BigInt(CLONE_NEW_FLAGS), 17n),
);
const low = (value: bigint): number => Number(value & 0xffff_ffffn);

test('arguments are judged as by the filter of level sandbox, whatever their high word holds', () => {
  fc.assert(
    fc.property(word, (value) => {
      const bits = low(value);
      assert.equal(errnoOf('clone', [value]), (BigInt(bits) & BigInt(CLONE_NEW_FLAGS)) === 0n ? null : 1);
      for (const call of ['socket', 'socketpair'])
        assert.equal(errnoOf(call, [value]), SOCKET_FAMILIES.includes(bits) ? null : 97);
      assert.equal(errnoOf('personality', [value]), bits === 0 || bits === 0xffff_ffff ? null : 1);
      assert.equal(errnoOf('ioctl', [3n, value]), bits === 0x5412 || bits === 0x541c ? 1 : null);
    }),
    { numRuns: 20_000 },
  );
});

test('every call that level sandbox denies is denied, and ordinary ones are not', () => {
  const conditional = new Set(['clone', 'ioctl', 'personality', 'socket', 'socketpair']);
  for (const call of NAMED_SYSCALLS.filter((name) => !conditional.has(name)))
    assert.notEqual(errnoOf(call, []), null, call);
  assert.equal(DENIED_SYSCALLS.flatMap(({ calls }) => calls).length > 40, true);
  assert.equal(errnoOf('clone3', []), 38);
  for (const call of ['read', 'execve', 'futex', 'mmap']) assert.equal(errnoOf(call, []), null, call);
});
