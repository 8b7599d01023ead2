import { CLONE_NEW_FLAGS, PERSONALITY_BITS, SOCKET_FAMILIES, TERMINAL_IOCTLS } from '../sandbox/seccomp.ts';
import { DENIED_SYSCALLS, type SandboxArch } from '../sandbox/syscalls.ts';

/** A condition on one argument; MASKED_EQ is `(argument & value) == valueTwo`. */
export interface SeccompArgument {
  readonly index: number;
  readonly value: number;
  readonly valueTwo: number;
  readonly op: 'SCMP_CMP_MASKED_EQ';
}

/** One rule of a profile. */
export interface SeccompRule {
  readonly names: readonly string[];
  readonly action: 'SCMP_ACT_ERRNO';
  readonly errnoRet: number;
  readonly args?: readonly SeccompArgument[];
}

/** `linux.seccomp` of an OCI runtime configuration (runtime-spec, config-linux.md). */
export interface SeccompProfile {
  readonly defaultAction: 'SCMP_ACT_ALLOW';
  readonly architectures: readonly string[];
  readonly syscalls: readonly SeccompRule[];
}

const EPERM = 1;
const ENOSYS = 38;
const EAFNOSUPPORT = 97;
/** The kernel reads these arguments as int: a high word must not help past a comparison. */
const LOW_WORD = 0xffff_ffff;

/**
 * The filter of level sandbox in the words of an OCI runtime: the same denied calls, flags, families and ioctls. Runtimes join conditions on
 * one argument by OR, so what the other filter says as "unless" is listed here value by value and bit by bit. Calls that are
 * newer than the runtime's library are not refused by number as they are there.
 */
export function seccompProfile(arch: SandboxArch): SeccompProfile {
  return {
    defaultAction: 'SCMP_ACT_ALLOW',
    architectures: [arch === 'x64' ? 'SCMP_ARCH_X86_64' : 'SCMP_ARCH_AARCH64'],
    syscalls: [
      ...DENIED_SYSCALLS.map((group) => deny(group.calls, EPERM)),
      deny(['clone3'], ENOSYS),
      ...bitsOf(CLONE_NEW_FLAGS).map((bit) => deny(['clone'], EPERM, masked(0, bit, bit))),
      ...Object.values(TERMINAL_IOCTLS).map((request) => deny(['ioctl'], EPERM, masked(1, LOW_WORD, request))),
      ...unknownFamilies(),
      ...unusualPersonalities(),
    ],
  };
}

function deny(names: readonly string[], errnoRet: number, ...args: readonly SeccompArgument[]): SeccompRule {
  return { names, action: 'SCMP_ACT_ERRNO', errnoRet, ...(args.length === 0 ? {} : { args }) };
}

function masked(index: number, mask: number, equals: number): SeccompArgument {
  return { index, value: mask, valueTwo: equals, op: 'SCMP_CMP_MASKED_EQ' };
}

function bitsOf(flags: number): readonly number[] {
  return Array.from({ length: 32 }, (_, bit) => 2 ** bit).filter((bit) => Math.floor(flags / bit) % 2 === 1);
}

/** Every family below 64 that is not allowed, and whatever has a higher bit. */
function unknownFamilies(): readonly SeccompRule[] {
  const calls = ['socket', 'socketpair'];
  const low = Array.from({ length: 64 }, (_, family) => family).filter((family) => !SOCKET_FAMILIES.includes(family));
  const high = bitsOf(LOW_WORD).filter((bit) => bit >= 64);
  return [
    ...low.map((family) => deny(calls, EAFNOSUPPORT, masked(0, LOW_WORD, family))),
    ...high.map((bit) => deny(calls, EAFNOSUPPORT, masked(0, bit, bit))),
  ];
}

/** A word that is neither 0 nor all ones has, read as a ring, a bit that is set before one that is not. */
function unusualPersonalities(): readonly SeccompRule[] {
  return Array.from({ length: PERSONALITY_BITS }, (_, index) => {
    const set = 2 ** index;
    const clear = 2 ** ((index + 1) % PERSONALITY_BITS);
    return deny(['personality'], EPERM, masked(0, set + clear, set));
  });
}
