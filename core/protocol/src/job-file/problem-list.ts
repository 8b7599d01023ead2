import { looksLikeCredential } from './credential.ts';
import type { Problem, ProblemCode } from './problem.ts';
import { lineAt, type Tree, type TreePath } from './tree.ts';

/** A problem as its finder knows it; lines and the printable path come later. */
export interface Finding {
  readonly path: TreePath;
  readonly code: ProblemCode;
  readonly message: string;
  readonly nearest?: string | undefined;
  readonly line?: number;
}

const MAX_PROBLEMS = 100;

/** Collects what is wrong while a file is read, so that all of it is reported at once. */
export class ProblemList {
  readonly #findings: Finding[] = [];

  note(finding: Finding): void {
    if (this.#findings.length < MAX_PROBLEMS) this.#findings.push(finding);
  }

  get isEmpty(): boolean {
    return this.#findings.length === 0;
  }

  /** What was noted, with lines looked up in `tree`, in the order of the file. */
  against(tree: Tree | undefined): Problem[] {
    const problems = this.#findings.map((finding) => {
      const line = finding.line ?? (tree === undefined ? undefined : lineAt(tree, finding.path));
      return toProblem(finding, line);
    });
    return problems.sort((a, b) => (a.line ?? 0) - (b.line ?? 0));
  }
}

/** `finding` as a problem, at `line` where one is known. */
export function toProblem({ path, code, message, nearest }: Finding, line?: number): Problem {
  return {
    path: writePath(path),
    code,
    message,
    ...(nearest === undefined ? {} : { nearest }),
    ...(line === undefined ? {} : { line }),
  };
}

function writePath(path: TreePath): string {
  return path.reduce<string>((text, step) => {
    if (typeof step === 'number') return `${text}[${step}]`;
    return `${text}${text === '' ? '' : '.'}${writeKey(step)}`;
  }, '');
}

// A key may be a value that slipped to the left of a colon: only what reads like a key, a path or a variable is printed.
function writeKey(key: string): string {
  const readable = /^(?:[A-Za-z][A-Za-z_-]{0,31}|[A-Z_][A-Z0-9_]{0,63}|(?:\/[A-Za-z0-9._-]{1,40}){1,8})$/.test(key);
  return readable && !looksLikeCredential(key) ? key : '?';
}
