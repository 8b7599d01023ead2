/** One classic BPF instruction as the kernel's `struct sock_filter` holds it (linux/filter.h). */
export interface BpfInstruction {
  readonly code: number;
  /** How many instructions to skip when a comparison holds. */
  readonly jt: number;
  /** How many instructions to skip when it does not. */
  readonly jf: number;
  readonly k: number;
}

/** Opcodes of the subset that seccomp filters need (linux/bpf_common.h). */
export const BPF = {
  /** A = 32-bit word of seccomp_data at offset k. */
  loadWord: 0x20,
  /** A == k ? */
  ifEqual: 0x15,
  /** A >= k ? (unsigned) */
  ifAtLeast: 0x35,
  /** A & k != 0 ? */
  ifAnyBit: 0x45,
  /** Ends with the verdict k. */
  verdict: 0x06,
} as const;

const LONGEST_PROGRAM = 4096;

/** Reads the word at `offset` of seccomp_data into the accumulator. */
export function load(offset: number): BpfInstruction {
  return { code: BPF.loadWord, jt: 0, jf: 0, k: offset };
}

/** Ends the program with `value`. */
export function verdict(value: number): BpfInstruction {
  return { code: BPF.verdict, jt: 0, jf: 0, k: value };
}

/** When the test does not hold, skips the `body` that follows; otherwise runs it. */
export function when(
  test: { readonly code: number; readonly k: number },
  body: readonly BpfInstruction[],
): readonly BpfInstruction[] {
  if (body.length > 255) throw new RangeError('a BPF jump reaches 255 instructions at most');
  return [{ ...test, jt: 0, jf: body.length }, ...body];
}

/** The bytes of `struct sock_filter[]` on a little-endian machine, as seccomp(2) and bubblewrap read them. */
export function encodeBpf(program: readonly BpfInstruction[]): Uint8Array {
  if (program.length > LONGEST_PROGRAM) throw new RangeError('a BPF program has 4,096 instructions at most');
  const bytes = Buffer.alloc(program.length * 8);
  for (const [index, instruction] of program.entries()) {
    bytes.writeUInt16LE(instruction.code, index * 8);
    bytes.writeUInt8(instruction.jt, index * 8 + 2);
    bytes.writeUInt8(instruction.jf, index * 8 + 3);
    bytes.writeUInt32LE(instruction.k, index * 8 + 4);
  }
  return bytes;
}
