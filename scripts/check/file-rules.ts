import { posix } from 'node:path';
import { emptyFolders, sourceFiles, type SourceFile } from './source-files.ts';

const CODE = /\.(ts|tsx|mts|mjs|cjs|js|py|sh|sql|css)$/;
const MAX_LINES = 400;
/** An auditor takes it along by itself: it is one file on purpose. */
const ONE_FILE_ON_PURPOSE = new Set(['tools/wire_verify.py']);
const VAGUE_NAME = /^(utils?|helpers?|managers?|commons?)$/i;

/** What a rule may know beside the file: the repository's absolute path here, and the paths of all its files. */
type Repository = { checkout: string; paths: ReadonlySet<string> };

/** A rule on one file: says what is wrong, or null. */
type FileRule = (file: SourceFile, repository: Repository) => string | null;

const notTooLong: FileRule = ({ path, text }) => {
  const lines = text.split('\n').length - 1;
  if (ONE_FILE_ON_PURPOSE.has(path)) return null;
  return CODE.test(path) && lines > MAX_LINES ? `${lines} lines, the limit is ${MAX_LINES}: split it by concern` : null;
};

const namedForItsConcern: FileRule = ({ path }) => {
  const vague = path.split(/[/.\-_]/).find((word) => VAGUE_NAME.test(word));
  return vague === undefined ? null : `"${vague}" says nothing: name the file for its concern`;
};

const noMachinePath: FileRule = ({ text }, { checkout }) => {
  const ownPlace = checkout.split('/').length > 2 && text.includes(checkout);
  const homeOfSomeone = /(?:\/Users|\\Users)[/\\]\w/.test(text) || /"resolved": *"https?:/.test(text);
  return ownPlace || homeOfSomeone ? 'names a path or package host of one machine' : null;
};

const nothingUnfinished: FileRule = ({ path, text }) =>
  CODE.test(path) && /\b(TO[D]O|FIX[M]E)\b/.test(text) ? 'carries a note of unfinished work' : null;

/** A file of this repository, named in backticks or as the target of a link; patterns and placeholders do not match. */
const NAMED_FILE = /(?:`|\]\()((?:\.\.?\/)*[\w.@-]+(?:\/[\w.@-]+)*\.(?:ts|mjs|cjs|md|py))(?=`|[)#])/g;

const namesFilesThatExist: FileRule = ({ path, text }, { paths }) => {
  if (!path.endsWith('.md')) return null;
  const named = [...text.matchAll(NAMED_FILE)].map(([, name = '']) => name);
  const exists = (name: string) => paths.has(name) || paths.has(posix.join(posix.dirname(path), name));
  const gone = named.filter((name) => name.includes('/') && !name.includes('NAME') && !exists(name));
  return gone.length === 0 ? null : `names files that do not exist: ${gone.join(', ')}`;
};

const FILE_RULES: readonly FileRule[] = [
  notTooLong,
  namedForItsConcern,
  noMachinePath,
  nothingUnfinished,
  namesFilesThatExist,
];

/** What these files break of the rules above, one line each. */
export function brokenFileRules(files: readonly SourceFile[], checkout: string): string[] {
  const repository = { checkout, paths: new Set(files.map(({ path }) => path)) };
  return files.flatMap((file) =>
    FILE_RULES.flatMap((rule) => {
      const problem = rule(file, repository);
      return problem === null ? [] : [`${file.path}: ${problem}`];
    }),
  );
}

/** All file rules over the checkout, and no empty folder. */
export function checkFiles(checkout: string): string[] {
  const empty = emptyFolders(checkout).map((folder) => `${folder}: empty folder`);
  return [...brokenFileRules(sourceFiles(checkout), checkout), ...empty];
}
