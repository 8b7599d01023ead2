import { posix } from 'node:path';
import type { FailureEnvelope } from '@ringfence/protocol/payload';

/** Names of exceptions that a failure envelope may carry: those of the languages themselves, never one that a job made up. */
const PYTHON_EXCEPTIONS = [
  'ArithmeticError',
  'AssertionError',
  'AttributeError',
  'BrokenPipeError',
  'ConnectionError',
  'ConnectionRefusedError',
  'ConnectionResetError',
  'EOFError',
  'Exception',
  'FileExistsError',
  'FileNotFoundError',
  'FloatingPointError',
  'ImportError',
  'IndentationError',
  'IndexError',
  'InterruptedError',
  'IsADirectoryError',
  'KeyError',
  'KeyboardInterrupt',
  'LookupError',
  'MemoryError',
  'ModuleNotFoundError',
  'NameError',
  'NotADirectoryError',
  'NotImplementedError',
  'OSError',
  'OverflowError',
  'PermissionError',
  'ProcessLookupError',
  'RecursionError',
  'RuntimeError',
  'StopIteration',
  'SyntaxError',
  'SystemError',
  'SystemExit',
  'TabError',
  'TimeoutError',
  'TypeError',
  'UnboundLocalError',
  'UnicodeDecodeError',
  'UnicodeEncodeError',
  'UnicodeError',
  'ValueError',
  'ZeroDivisionError',
  'subprocess.CalledProcessError',
  'json.decoder.JSONDecodeError',
  'torch.OutOfMemoryError',
  'torch.cuda.OutOfMemoryError',
];
const NODE_EXCEPTIONS = [
  'AggregateError',
  'Error',
  'EvalError',
  'RangeError',
  'ReferenceError',
  'SyntaxError',
  'TypeError',
  'URIError',
];
const EXCEPTIONS: ReadonlySet<string> = new Set([...PYTHON_EXCEPTIONS, ...NODE_EXCEPTIONS]);

/** What is known when a job has failed. */
export interface FailedRun {
  readonly class: FailureEnvelope['class'];
  readonly exitCode: number | null;
  readonly signal: string | null;
  readonly peakMemoryBytes: number | null;
  /** The last lines of stderr, oldest first. */
  readonly stderr: readonly string[];
  /** Folders that hold the job's own code, as its messages may name them. */
  readonly codeFolders: readonly string[];
  /** Whether a line of a path below them is a place of the job's code that may be named: what a job merely prints is none. */
  readonly isOwnPlace: (path: string, line: number) => boolean;
}

const LONGEST = 256;

/**
 * What a failing job yields for its owner: at most 256 bytes of JSON, no values. Exception types come from a closed list, places from the
 * job's own files; the messages of exceptions, which quote data, are left out.
 */
export function failureEnvelope(run: FailedRun): FailureEnvelope {
  const exception = exceptionIn(run.stderr);
  const at = placeIn(run);
  const envelope: FailureEnvelope = {
    class: run.class,
    ...(exception === undefined ? {} : { exception }),
    ...(at === undefined ? {} : { at }),
    ...(run.exitCode === null || run.exitCode < 0 || run.exitCode > 255 ? {} : { exitCode: run.exitCode }),
    ...(run.signal === null || !/^SIG[A-Z0-9]{1,10}$/.test(run.signal) ? {} : { signal: run.signal }),
    ...(run.peakMemoryBytes === null ? {} : { peakMemoryMb: Math.ceil(run.peakMemoryBytes / 1e6) }),
  };
  if (JSON.stringify(envelope).length <= LONGEST) return envelope;
  const { at: _, ...shorter } = envelope;
  return shorter;
}

/** Python writes `Type: message` last; Node a stack whose first line is `Type: message` or `Type [CODE]: message`. */
function exceptionIn(lines: readonly string[]): string | undefined {
  for (const line of lines.toReversed()) {
    const name = /^(?:Uncaught )?([A-Za-z_][A-Za-z0-9_.]{0,63})(?: \[[A-Z_]+\])?(?::|$)/.exec(line)?.[1];
    if (name !== undefined && EXCEPTIONS.has(name)) return name;
  }
  return undefined;
}

function placeIn({ stderr: lines, ...own }: FailedRun): string | undefined {
  // Python's innermost frame comes last, Node's first.
  const python = lines.toReversed().flatMap((line) => ownPlace(/^\s*File "([^"]+)", line (\d{1,7})/.exec(line), own));
  const node = lines.flatMap((line) =>
    ownPlace(/^\s+at .*?(?:file:\/\/)?(\/[^():]+):(\d{1,7}):\d{1,7}\)?$/.exec(line), own),
  );
  return python[0] ?? node[0];
}

function ownPlace(
  match: RegExpExecArray | null,
  { codeFolders, isOwnPlace }: Pick<FailedRun, 'codeFolders' | 'isOwnPlace'>,
): string[] {
  const [, path, line] = match ?? [];
  if (path === undefined || line === undefined) return [];
  const folder = codeFolders.find((candidate) => path.startsWith(`${candidate}/`));
  const relative = folder === undefined ? (path.startsWith('/') ? undefined : path) : path.slice(folder.length + 1);
  if (relative === undefined || relative.includes('node_modules/') || relative.includes('site-packages/')) return [];
  if (!/^[A-Za-z0-9_./-]{1,120}$/.test(relative) || relative.split('/').includes('..')) return [];
  // Spelt in one way, so that the spelling says nothing.
  const [plain, at] = [posix.normalize(relative), Number(line)];
  return isOwnPlace(plain, at) ? [`${plain}:${at}`] : [];
}
