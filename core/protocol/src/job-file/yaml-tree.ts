import {
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  parseDocument,
  type Pair,
  type Scalar,
  type YAMLMap,
} from 'yaml';
import type { ProblemList } from './problem-list.ts';
import type { MapEntry, Tree, TreePath } from './tree.ts';
import { checkLexemes } from './yaml-lexemes.ts';

/** Bytes of UTF-8 that a job file may have. */
export const MAX_JOB_FILE_BYTES = 65_536;
/** Maps and lists within each other; the deepest field of a job file lies in four. */
const MAX_JOB_FILE_DEPTH = 8;

/**
 * Reads YAML 1.2 into a tree whose scalars keep their source text. Aliases, anchors, tags, merge keys, directives, duplicate
 * keys and second documents are noted as problems, as is every syntax error, without a word of the file in any message.
 * Undefined when nothing of the file can be read.
 */
export function readTree(text: string, problems: ProblemList): Tree | undefined {
  if (!isReadable(text, problems) || !checkLexemes(text, problems)) return undefined;
  const lines = new LineCounter();
  // `failsafe`: every scalar is a string. Our own check of keys is linear, the library's is not.
  const document = parseDocument(text, {
    version: '1.2',
    schema: 'failsafe',
    merge: false,
    resolveKnownTags: false,
    uniqueKeys: false,
    prettyErrors: false,
    // Not `silent`: that would let a second document pass unseen.
    logLevel: 'error',
    lineCounter: lines,
  });
  for (const { code, pos } of document.errors) {
    problems.note({ path: [], ...describeYamlError(code), line: lines.linePos(pos[0]).line });
  }
  if (document.errors.length > 0) return undefined;
  return convert(document.contents, { path: [], line: 1, problems, lines });
}

function isReadable(text: string, problems: ProblemList): boolean {
  if (text.length > MAX_JOB_FILE_BYTES || Buffer.byteLength(text) > MAX_JOB_FILE_BYTES) {
    problems.note({ path: [], code: 'too-large', message: 'a job file has at most 64 KiB' });
    return false;
  }
  // Tab, line feed and carriage return are the control characters of YAML text (YAML 1.2.2 section 5.1).
  const strange = /(?![\t\n\r])[\p{Cc}\p{Surrogate}]/u.exec(text);
  if (strange !== null) {
    const line = text.slice(0, strange.index).split('\n').length;
    problems.note({ path: [], code: 'yaml-syntax', message: 'this line holds a control character', line });
  }
  return strange === null;
}

const TOO_DEEP = { code: 'too-deep', message: 'maps and lists lie too deep within each other' } as const;
const YAML_ERRORS: Readonly<Record<string, string>> = {
  TAB_AS_INDENT: 'a tab indents this line; YAML takes spaces',
  BAD_INDENT: 'this line is indented wrongly',
  MISSING_CHAR: 'a quote, bracket, comma or colon is missing',
  UNEXPECTED_TOKEN: 'something stands here that YAML does not expect',
  BLOCK_AS_IMPLICIT_KEY:
    'a map or list stands on the line of a key; put it on the next line, or quote a text with a colon',
  MULTILINE_IMPLICIT_KEY: 'a key runs over more than one line; is a colon missing?',
  BAD_DQ_ESCAPE: 'a backslash in double quotes starts no known escape; use single quotes',
  BAD_SCALAR_START: 'a value starts with a character that needs quotes',
};

function describeYamlError(code: string): { code: 'yaml-syntax' | 'yaml-feature' | 'too-deep'; message: string } {
  if (code === 'RESOURCE_EXHAUSTION') return TOO_DEEP;
  if (code === 'MULTIPLE_DOCS')
    return { code: 'yaml-feature', message: 'a job file holds one document; leave out `---`' };
  return { code: 'yaml-syntax', message: YAML_ERRORS[code] ?? 'this is not valid YAML' };
}

interface Spot {
  readonly path: TreePath;
  readonly line: number;
  readonly problems: ProblemList;
  readonly lines: LineCounter;
}

function convert(node: unknown, spot: Spot): Tree {
  const { path, problems, lines } = spot;
  const line = lineOf(node, lines) ?? spot.line;
  if (node === null || node === undefined) return { kind: 'text', text: '', plain: true, line };
  if (isAlias(node)) return { kind: 'refused', line };
  if (isScalar(node)) return { kind: 'text', text: scalarText(node), plain: node.type === 'PLAIN', line };
  if (path.length >= MAX_JOB_FILE_DEPTH) {
    problems.note({ path, ...TOO_DEEP, line });
    return { kind: 'refused', line };
  }
  if (isSeq(node)) {
    const items = node.items.map((item, index) => convert(item, { ...spot, path: [...path, index], line }));
    return { kind: 'list', items, line };
  }
  return isMap(node)
    ? { kind: 'map', entries: convertEntries(node, { ...spot, line }), line }
    : { kind: 'refused', line };
}

function convertEntries(map: YAMLMap, spot: Spot): MapEntry[] {
  const seen = new Set<string>();
  return map.items.flatMap((pair: Pair) => {
    const line = lineOf(pair.key, spot.lines) ?? spot.line;
    if (!isScalar(pair.key) || scalarText(pair.key) === '') {
      spot.problems.note({ path: spot.path, code: 'wrong-shape', message: 'a key is a plain word', line });
      return [];
    }
    const key = scalarText(pair.key);
    const path = [...spot.path, key];
    if (key === '<<') {
      const message = 'job files do not take merge keys (<<); write the keys out';
      spot.problems.note({ path: spot.path, code: 'yaml-feature', message, line });
      return [];
    }
    if (seen.has(key)) {
      spot.problems.note({ path, code: 'duplicate-key', message: 'this key stands here twice', line });
      return [];
    }
    seen.add(key);
    return [{ key, line, value: convert(pair.value, { ...spot, path, line }) }];
  });
}

function scalarText(scalar: Scalar): string {
  return typeof scalar.value === 'string' ? scalar.value : (scalar.source ?? '');
}

function lineOf(node: unknown, lines: LineCounter): number | undefined {
  if (!isScalar(node) && !isMap(node) && !isSeq(node) && !isAlias(node)) return undefined;
  return node.range ? lines.linePos(node.range[0]).line : undefined;
}
