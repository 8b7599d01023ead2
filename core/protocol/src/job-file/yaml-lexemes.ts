import { Lexer } from 'yaml';
import type { ProblemList } from './problem-list.ts';

/** Lexemes of one file, white space included; a job file has a few hundred. Bounds what the parser can be made to do. */
const MAX_LEXEMES = 12_000;
// The lexer's mark for "the next lexeme is the text of a scalar".
const SCALAR = '\u001f';

const FEATURES: Readonly<Record<string, string>> = {
  '*': 'an alias (*name); write the value out',
  '&': 'an anchor (&name); write the value out where it is used',
  '!': 'a tag (!type); fields know their own types',
};

/**
 * Notes what a job file may not use of YAML (aliases, anchors, tags, directives) and whether it has too many parts, before any
 * tree exists that they could blow up. False when `text` must not be parsed at all.
 */
export function checkLexemes(text: string, problems: ProblemList): boolean {
  let line = 1;
  let count = 0;
  let previous = '';
  for (const lexeme of new Lexer().lex(text)) {
    count += 1;
    if (count > MAX_LEXEMES) {
      problems.note({ path: [], code: 'too-large', message: 'the file has too many parts for a job file' });
      return false;
    }
    if (previous !== SCALAR) noteFeature(lexeme, line, problems);
    line += newlines(lexeme);
    previous = lexeme;
  }
  return true;
}

function noteFeature(lexeme: string, line: number, problems: ProblemList): void {
  const name = lexeme.startsWith('%') ? 'a directive (%…); leave it out' : FEATURES[lexeme.charAt(0)];
  if (name === undefined) return;
  problems.note({ path: [], code: 'yaml-feature', message: `job files do not take ${name}`, line });
}

function newlines(lexeme: string): number {
  return lexeme.split('\n').length - 1;
}
