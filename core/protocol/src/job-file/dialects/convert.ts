import { stringify } from 'yaml';
import { parseJobFile } from '../parse.ts';
import { ProblemList } from '../problem-list.ts';
import { JobFileError, type Problem } from '../problem.ts';
import { readTree } from '../yaml-tree.ts';
import { CARRIES, dialectOf, type Dialect } from './dialect.ts';
import { Draft, type LeftOut } from './draft.ts';
import { nameLike } from './names.ts';

/** Another platform’s file in Ringfence’s spelling. */
export interface Converted {
  readonly dialect: Dialect;
  /** Text of a job file. */
  readonly text: string;
  /** Keys that were not carried as they are, in the order of the file. */
  readonly left: readonly LeftOut[];
  /** What of `text` is no job file of ours yet, for instance a name that is missing; empty when it is one. */
  readonly problems: readonly Problem[];
}

/**
 * Rewrites a FedML, SkyPilot or dstack file; undefined when it is in Ringfence’s own spelling. `fallbackName` names a job that has no name.
 * Throws JobFileError when the text is not the YAML that job files are written in.
 */
export function convertJobFile(text: string, fallbackName: string): Converted | undefined {
  const problems = new ProblemList();
  const tree = readTree(text, problems);
  if (tree === undefined || !problems.isEmpty) throw new JobFileError(problems.against(tree));
  const dialect = dialectOf(tree);
  if (dialect === undefined) return undefined;
  const draft = new Draft();
  CARRIES[dialect](tree, [], draft);
  const name = nameLike(fallbackName);
  if (!draft.has('name') && name !== undefined) draft.set('name', name);
  const written = stringify(draft.value(), { lineWidth: 0, version: '1.2', defaultStringType: 'PLAIN' });
  const left = draft.left.toSorted((a, b) => a.line - b.line);
  return { dialect, text: written, left, problems: problemsOf(written) };
}

function problemsOf(text: string): readonly Problem[] {
  try {
    parseJobFile(text);
    return [];
  } catch (error) {
    if (error instanceof JobFileError) return error.problems;
    throw error;
  }
}
