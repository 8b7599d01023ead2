import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { AUDIT_ARCH, VERDICT, seccompFilter } from './seccomp.ts';
import { DENIED_SYSCALLS, LAST_KNOWN_SYSCALL, NAMED_SYSCALLS, syscallNumber } from './syscalls.ts';
import type { SandboxArch } from './syscalls.ts';
import vectors from './syscalls.vectors.json' with { type: 'json' };

interface Call {
  readonly nr: number;
  readonly arch: number;
  readonly args?: readonly bigint[];
}

/** Runs filter bytes over struct seccomp_data as the kernel does (Documentation/networking/filter.rst). */
function verdictOf(filter: Uint8Array, call: Call): number {
  const data = Buffer.alloc(64);
  data.writeUInt32LE(call.nr, 0);
  data.writeUInt32LE(call.arch, 4);
  for (const [index, value] of (call.args ?? []).entries()) data.writeBigUInt64LE(value, 16 + 8 * index);
  const program = Buffer.from(filter);
  let accumulator = 0;
  for (let pc = 0, steps = 0; steps < 5000; pc += 1, steps += 1) {
    const code = program.readUInt16LE(pc * 8);
    const [jt, jf, k] = [
      program.readUInt8(pc * 8 + 2),
      program.readUInt8(pc * 8 + 3),
      program.readUInt32LE(pc * 8 + 4),
    ];
    if (code === 0x06) return k;
    if (code === 0x20) accumulator = data.readUInt32LE(k);
    else if (code === 0x15) pc += accumulator === k ? jt : jf;
    else if (code === 0x35) pc += accumulator >= k ? jt : jf;
    else if (code === 0x45) pc += (accumulator & k) !== 0 ? jt : jf;
    else assert.fail(`instruction ${code} at ${pc}`);
  }
  return assert.fail('the filter does not end');
}

const ARCHES: readonly SandboxArch[] = ['x64', 'arm64'];
/** What no job may ever do, written out a second time so that a call dropped from the list by mistake is missed here. */
const MUST_BE_DENIED =
  'ptrace process_vm_readv process_vm_writev mount umount2 pivot_root chroot open_tree move_mount fsopen fsconfig fsmount ' +
  'fspick mount_setattr setns unshare bpf perf_event_open userfaultfd keyctl add_key request_key io_uring_setup ' +
  'io_uring_enter io_uring_register kexec_load kexec_file_load init_module finit_module delete_module swapon swapoff ' +
  'reboot settimeofday clock_settime acct quotactl nfsservctl open_by_handle_at pidfd_getfd syslog';
/** What ordinary programs cannot do without. */
const MUST_BE_ALLOWED =
  'read write openat close mmap munmap mprotect brk futex execve exit_group wait4 getpid kill tgkill rt_sigaction pipe2 ' +
  'dup3 fcntl epoll_pwait connect sendto recvfrom bind listen accept4 getrandom sched_getaffinity prctl seccomp rseq ' +
  'memfd_create statx clock_gettime nanosleep prlimit64 setsid madvise copy_file_range pidfd_open close_range';

/** Calls whose arguments decide. */
const BY_ARGUMENT = new Set(['clone', 'ioctl', 'personality', 'socket', 'socketpair']);

for (const arch of ARCHES)
  describe(`seccomp filter for ${arch}`, () => {
    const filter = seccompFilter(arch);
    const known: Readonly<Record<string, number>> = vectors[arch];
    const judge = (nr: number, ...args: bigint[]) => verdictOf(filter, { nr, arch: AUDIT_ARCH[arch], args });
    const named = (name: string, ...args: bigint[]) => judge(known[name] ?? assert.fail(name), ...args);
    const denied = new Set<string>(DENIED_SYSCALLS.flatMap((group) => group.calls));

    test('names every call by the number that the kernel headers give', () => {
      for (const name of NAMED_SYSCALLS) assert.equal(syscallNumber(name, arch), known[name] ?? null, name);
    });

    test('denies exactly the listed calls, over every number of the headers', () => {
      for (const [name, nr] of Object.entries(known)) {
        if (BY_ARGUMENT.has(name)) continue;
        const expected = name === 'clone3' ? VERDICT.enosys : denied.has(name) ? VERDICT.eperm : VERDICT.allow;
        assert.equal(judge(nr), expected, name);
      }
    });

    test('denies what must be denied and leaves programs what they need', () => {
      for (const name of MUST_BE_DENIED.split(' ')) assert.equal(named(name), VERDICT.eperm, name);
      for (const name of MUST_BE_ALLOWED.split(' ')) assert.equal(named(name), VERDICT.allow, name);
    });

    test('answers ENOSYS for every call that is newer than this release', () => {
      for (let nr = LAST_KNOWN_SYSCALL + 1; nr < 4096; nr += 1) assert.equal(judge(nr), VERDICT.enosys, String(nr));
      assert.notEqual(judge(LAST_KNOWN_SYSCALL), VERDICT.enosys);
    });

    test('never allows a denied call, whatever its arguments', () => {
      const numbers = [...denied].flatMap((name) => known[name] ?? []);
      const args = fc.array(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), { minLength: 6, maxLength: 6 });
      fc.assert(
        fc.property(fc.constantFrom(...numbers), args, (nr, values) => judge(nr, ...values) === VERDICT.eperm),
        { numRuns: 2000 },
      );
    });

    test('lets clone make threads and processes but no namespace', () => {
      const thread = 0x3d0f00n;
      assert.equal(named('clone', thread), VERDICT.allow);
      assert.equal(named('clone', 17n), VERDICT.allow);
      for (const flag of [0x20000n, 0x2000000n, 0x4000000n, 0x8000000n, 0x10000000n, 0x20000000n, 0x40000000n]) {
        assert.equal(named('clone', flag | 17n), VERDICT.eperm);
        assert.equal(named('clone', flag | thread | (0xdeadn << 32n)), VERDICT.eperm);
      }
    });

    test('keeps text from being typed into a terminal, with any high word', () => {
      for (const request of [0x5412n, 0x541cn]) {
        assert.equal(named('ioctl', 0n, request), VERDICT.eperm);
        assert.equal(named('ioctl', 0n, request | (1n << 32n)), VERDICT.eperm);
      }
      assert.equal(named('ioctl', 0n, 0x5401n), VERDICT.allow);
    });

    test('allows the sockets that the network namespace contains, and no other family', () => {
      for (const call of ['socket', 'socketpair'])
        for (let family = 0n; family < 64n; family += 1n) {
          const expected = [1n, 2n, 10n, 16n].includes(family) ? VERDICT.allow : VERDICT.eafnosupport;
          assert.equal(named(call, family), expected, `${call} ${family}`);
          assert.equal(named(call, family | (7n << 32n)), expected);
        }
    });

    test('keeps the ordinary personality', () => {
      assert.equal(named('personality', 0n), VERDICT.allow);
      assert.equal(named('personality', 0xffff_ffffn), VERDICT.allow);
      for (const value of [0x0040000n, 8n, 0x20000n, 0xfffffffen])
        assert.equal(named('personality', value), VERDICT.eperm);
    });

    test('kills a process that enters through another architecture', () => {
      for (const other of [0x4000_0003, 0x4000_0028, 0, 0xffff_ffff, AUDIT_ARCH[arch === 'x64' ? 'arm64' : 'x64']])
        assert.equal(verdictOf(filter, { nr: 0, arch: other }), VERDICT.killProcess);
    });
  });

test('the x32 interface is refused on x64', () => {
  const filter = seccompFilter('x64');
  for (const nr of [0x4000_0000, 0x4000_0200, 0x7fff_ffff, 0xffff_ffff])
    assert.equal(verdictOf(filter, { nr, arch: AUDIT_ARCH.x64 }), VERDICT.eperm);
});

test('every group says why', () => {
  for (const group of DENIED_SYSCALLS) assert.ok(group.why.length > 20 && group.calls.length > 0, group.name);
});
