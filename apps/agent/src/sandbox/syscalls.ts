/** Processor architectures that sandboxes know, as `process.arch` spells them. */
export type SandboxArch = 'x64' | 'arm64';

/** A reason to deny system calls, and the calls. */
export interface SyscallGroup {
  readonly name: string;
  readonly why: string;
  readonly calls: readonly DeniedSyscall[];
}

/**
 * Numbers of the denied calls and of those whose arguments are looked at: [x64, arm64], null where the architecture
 * never had the call. Source: Linux arch/x86/entry/syscalls/syscall_64.tbl and include/uapi/asm-generic/unistd.h.
 */
const NUMBERS = {
  acct: [163, 89],
  add_key: [248, 217],
  adjtimex: [159, 171],
  bpf: [321, 280],
  chroot: [161, 51],
  clock_adjtime: [305, 266],
  clock_settime: [227, 112],
  clone: [56, 220],
  clone3: [435, 435],
  create_module: [174, null],
  delete_module: [176, 106],
  fanotify_init: [300, 262],
  finit_module: [313, 273],
  fsconfig: [431, 431],
  fsmount: [432, 432],
  fsopen: [430, 430],
  fspick: [433, 433],
  get_kernel_syms: [177, null],
  init_module: [175, 105],
  io_uring_enter: [426, 426],
  io_uring_register: [427, 427],
  io_uring_setup: [425, 425],
  ioctl: [16, 29],
  ioperm: [173, null],
  iopl: [172, null],
  kcmp: [312, 272],
  kexec_file_load: [320, 294],
  kexec_load: [246, 104],
  keyctl: [250, 219],
  lookup_dcookie: [212, 18],
  modify_ldt: [154, null],
  mount: [165, 40],
  mount_setattr: [442, 442],
  move_mount: [429, 429],
  nfsservctl: [180, 42],
  open_by_handle_at: [304, 265],
  open_tree: [428, 428],
  perf_event_open: [298, 241],
  personality: [135, 92],
  pidfd_getfd: [438, 438],
  pivot_root: [155, 41],
  process_madvise: [440, 440],
  process_vm_readv: [310, 270],
  process_vm_writev: [311, 271],
  ptrace: [101, 117],
  query_module: [178, null],
  quotactl: [179, 60],
  quotactl_fd: [443, 443],
  reboot: [169, 142],
  request_key: [249, 218],
  setdomainname: [171, 162],
  sethostname: [170, 161],
  setns: [308, 268],
  settimeofday: [164, 170],
  socket: [41, 198],
  socketpair: [53, 199],
  swapoff: [168, 225],
  swapon: [167, 224],
  sysfs: [139, null],
  _sysctl: [156, null],
  syslog: [103, 116],
  umount2: [166, 39],
  unshare: [272, 97],
  uselib: [134, null],
  userfaultfd: [323, 282],
  ustat: [136, null],
  vhangup: [153, 58],
} as const satisfies Record<string, readonly [number, number | null]>;

/** A call that the filter names. */
export type DeniedSyscall = keyof typeof NUMBERS;

/** The number of `call` on `arch`, or null where it never existed. */
export function syscallNumber(call: DeniedSyscall, arch: SandboxArch): number | null {
  return NUMBERS[call][arch === 'x64' ? 0 : 1];
}

/** Every call that the filter names. */
export const NAMED_SYSCALLS = Object.keys(NUMBERS) as readonly DeniedSyscall[];

/**
 * The highest number whose meaning this release knows (mseal, Linux 6.10; numbers above 423 are the same on all
 * architectures). Calls of newer kernels answer ENOSYS, so what nobody has judged yet is out of reach.
 */
export const LAST_KNOWN_SYSCALL = 462;

/** Calls answered with EPERM whatever their arguments, by reason. */
export const DENIED_SYSCALLS: readonly SyscallGroup[] = [
  {
    name: 'tracing',
    why: 'reads or changes the memory and descriptors of another process of the job, such as its init',
    calls: ['ptrace', 'process_vm_readv', 'process_vm_writev', 'process_madvise', 'pidfd_getfd', 'kcmp'],
  },
  {
    name: 'mounts',
    why: 'changes what the job sees of the file system; the old and the new mount interface alike',
    calls: [
      'mount',
      'umount2',
      'pivot_root',
      'chroot',
      'open_tree',
      'move_mount',
      'fsopen',
      'fsconfig',
      'fsmount',
      'fspick',
      'mount_setattr',
    ],
  },
  {
    name: 'namespaces',
    why: 'enters or makes namespaces, where capabilities and kernel code for root come back; clone is filtered by flag',
    calls: ['setns', 'unshare'],
  },
  {
    name: 'kernel-programs',
    why: 'runs code in the kernel or watches it: large attack surface, side channels, no use in a job',
    calls: ['bpf', 'perf_event_open', 'userfaultfd', 'fanotify_init', 'lookup_dcookie'],
  },
  {
    name: 'keyrings',
    why: 'kernel keyrings are not separated by namespaces',
    calls: ['add_key', 'request_key', 'keyctl'],
  },
  {
    name: 'io-uring',
    why: 'performs other calls out of sight of this filter',
    calls: ['io_uring_setup', 'io_uring_enter', 'io_uring_register'],
  },
  {
    name: 'kernel-replacement',
    why: 'loads kernels, modules and swap, restarts the machine',
    calls: [
      'kexec_load',
      'kexec_file_load',
      'init_module',
      'finit_module',
      'delete_module',
      'create_module',
      'get_kernel_syms',
      'query_module',
      'swapon',
      'swapoff',
      'reboot',
    ],
  },
  {
    name: 'clock',
    why: 'sets the clock that leases and logs of the whole machine go by',
    calls: ['settimeofday', 'clock_settime', 'clock_adjtime', 'adjtimex'],
  },
  {
    name: 'administration',
    why: 'accounts, quotas, kernel log, terminals, names: the business of the machine, not of a job',
    calls: ['acct', 'quotactl', 'quotactl_fd', 'nfsservctl', 'syslog', 'vhangup', 'sethostname', 'setdomainname'],
  },
  {
    name: 'file-handles',
    why: 'opens files by inode and so walks around the listed root file system',
    calls: ['open_by_handle_at'],
  },
  {
    name: 'hardware',
    why: 'reaches ports and descriptor tables of the processor',
    calls: ['iopl', 'ioperm', 'modify_ldt'],
  },
  {
    name: 'obsolete',
    why: 'no current program calls them, old bugs live there',
    calls: ['_sysctl', 'sysfs', 'uselib', 'ustat'],
  },
];
