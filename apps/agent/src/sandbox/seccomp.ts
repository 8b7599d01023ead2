import { BPF, encodeBpf, load, verdict, when } from './bpf.ts';
import type { BpfInstruction } from './bpf.ts';
import { DENIED_SYSCALLS, LAST_KNOWN_SYSCALL, syscallNumber } from './syscalls.ts';
import type { DeniedSyscall, SandboxArch } from './syscalls.ts';

/** Offsets in `struct seccomp_data` (linux/seccomp.h); arguments are 64 bits wide, low word first on both architectures. */
const SECCOMP_DATA = { nr: 0, arch: 4, argument: (index: number) => 16 + 8 * index, bytes: 64 } as const;

/** AUDIT_ARCH_* of linux/audit.h. */
export const AUDIT_ARCH: Readonly<Record<SandboxArch, number>> = { x64: 0xc000_003e, arm64: 0xc000_00b7 };

const RET_ERRNO = 0x0005_0000;
/** Verdicts of linux/seccomp.h with the errno that the filter uses. */
export const VERDICT = {
  allow: 0x7fff_0000,
  killProcess: 0x8000_0000,
  eperm: RET_ERRNO | 1,
  enosys: RET_ERRNO | 38,
  eafnosupport: RET_ERRNO | 97,
} as const;

/** CLONE_NEWNS | NEWCGROUP | NEWUTS | NEWIPC | NEWUSER | NEWPID | NEWNET (linux/sched.h); NEWTIME is no flag of clone. */
export const CLONE_NEW_FLAGS = 0x7e02_0000;
/** Calls numbered from here belong to the x32 interface of an x64 kernel. */
const X32_BIT = 0x4000_0000;
/** Types text into, or reconfigures, the terminal of whoever started the agent (ioctl_tty(2)). */
export const TERMINAL_IOCTLS = { TIOCSTI: 0x5412, TIOCLINUX: 0x541c } as const;
/** The ordinary Linux personality, and the value that only asks. */
const PERSONALITIES = [0, 0xffff_ffff];
/** Bits of the argument of personality(2). */
export const PERSONALITY_BITS = 32;
/**
 * AF_UNIX, AF_INET, AF_INET6, AF_NETLINK: families that the job's own network namespace contains. AF_VSOCK would reach
 * the hypervisor past that namespace, AF_ALG and the rest only widen the attack surface.
 */
export const SOCKET_FAMILIES: readonly number[] = [1, 2, 10, 16];

/**
 * The seccomp filter of every sandboxed job as bytes of `struct sock_filter[]`. A foreign architecture (32-bit entry)
 * kills the process; x32 and the groups of DENIED_SYSCALLS get EPERM; clone may not make namespaces and clone3, whose
 * flags a filter cannot see, answers ENOSYS so that the C library falls back to clone; calls newer than
 * LAST_KNOWN_SYSCALL answer ENOSYS. See seccomp(2), Documentation/userspace-api/seccomp_filter.rst.
 */
export function seccompFilter(arch: SandboxArch): Uint8Array {
  return encodeBpf(seccompProgram(arch));
}

function seccompProgram(arch: SandboxArch): readonly BpfInstruction[] {
  return [
    load(SECCOMP_DATA.arch),
    { code: BPF.ifEqual, jt: 1, jf: 0, k: AUDIT_ARCH[arch] },
    verdict(VERDICT.killProcess),
    load(SECCOMP_DATA.nr),
    ...(arch === 'x64' ? when({ code: BPF.ifAtLeast, k: X32_BIT }, [verdict(VERDICT.eperm)]) : []),
    ...when({ code: BPF.ifAtLeast, k: LAST_KNOWN_SYSCALL + 1 }, [verdict(VERDICT.enosys)]),
    ...onCall('clone3', arch, [verdict(VERDICT.enosys)]),
    ...onCall('clone', arch, [
      load(SECCOMP_DATA.argument(0)),
      ...when({ code: BPF.ifAnyBit, k: CLONE_NEW_FLAGS }, [verdict(VERDICT.eperm)]),
      verdict(VERDICT.allow),
    ]),
    ...onCall('ioctl', arch, unlessArgument(1, Object.values(TERMINAL_IOCTLS), VERDICT.allow, VERDICT.eperm)),
    ...onCall('personality', arch, unlessArgument(0, PERSONALITIES, VERDICT.eperm, VERDICT.allow)),
    ...onCall('socket', arch, unlessArgument(0, SOCKET_FAMILIES, VERDICT.eafnosupport, VERDICT.allow)),
    ...onCall('socketpair', arch, unlessArgument(0, SOCKET_FAMILIES, VERDICT.eafnosupport, VERDICT.allow)),
    ...DENIED_SYSCALLS.flatMap((group) => group.calls.flatMap((call) => onCall(call, arch, [verdict(VERDICT.eperm)]))),
    verdict(VERDICT.allow),
  ];
}

/** `body` for one call; it must end in a verdict because it overwrites the accumulator that holds the number. */
function onCall(call: DeniedSyscall, arch: SandboxArch, body: readonly BpfInstruction[]): readonly BpfInstruction[] {
  const nr = syscallNumber(call, arch);
  return nr === null ? [] : when({ code: BPF.ifEqual, k: nr }, body);
}

/**
 * `listed` when the argument is one of `values`, else `otherwise`. Only the low 32 bits count: the kernel takes these
 * arguments as int, so a high word must not help past the comparison.
 */
function unlessArgument(
  index: number,
  values: readonly number[],
  otherwise: number,
  listed: number,
): readonly BpfInstruction[] {
  return [
    load(SECCOMP_DATA.argument(index)),
    ...values.flatMap((value) => when({ code: BPF.ifEqual, k: value }, [verdict(listed)])),
    verdict(otherwise),
  ];
}
