import { emptyFolders, sourceFiles, type SourceFile } from './source-files.ts';

const CODE = /\.(ts|tsx|mts|mjs|cjs|js|py|sh|sql|css)$/;
const MAX_LINES = 400;
const VAGUE_NAME = /^(utils?|helpers?|managers?|commons?)$/i;

/** A rule on one file: says what is wrong, or null. `checkout` is the absolute path of the repository here. */
type FileRule = (file: SourceFile, checkout: string) => string | null;

const notTooLong: FileRule = ({ path, text }) => {
  const lines = text.split('\n').length - 1;
  return CODE.test(path) && lines > MAX_LINES ? `${lines} lines, the limit is ${MAX_LINES}: split it by concern` : null;
};

const namedForItsConcern: FileRule = ({ path }) => {
  const vague = path.split(/[/.\-_]/).find((word) => VAGUE_NAME.test(word));
  return vague === undefined ? null : `"${vague}" says nothing: name the file for its concern`;
};

const noMachinePath: FileRule = ({ text }, checkout) => {
  const ownPlace = checkout.split('/').length > 2 && text.includes(checkout);
  const homeOfSomeone = /(?:\/Users|\\Users)[/\\]\w/.test(text) || /"resolved": *"https?:/.test(text);
  return ownPlace || homeOfSomeone ? 'names a path or package host of one machine' : null;
};

const nothingUnfinished: FileRule = ({ path, text }) =>
  CODE.test(path) && /\b(TO[D]O|FIX[M]E)\b/.test(text) ? 'carries a note of unfinished work' : null;

const FILE_RULES: readonly FileRule[] = [notTooLong, namedForItsConcern, noMachinePath, nothingUnfinished];

/** What these files break of the rules above, one line each. */
export function brokenFileRules(files: readonly SourceFile[], checkout: string): string[] {
  return files.flatMap((file) =>
    FILE_RULES.flatMap((rule) => {
      const problem = rule(file, checkout);
      return problem === null ? [] : [`${file.path}: ${problem}`];
    }),
  );
}

/** All file rules over the checkout, and no empty folder. */
export function checkFiles(checkout: string): string[] {
  const empty = emptyFolders(checkout).map((folder) => `${folder}: empty folder`);
  return [...brokenFileRules(sourceFiles(checkout), checkout), ...empty];
}
