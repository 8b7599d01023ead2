/** What a script of another platform expects of the shell that runs it. */
export interface ScriptHabits {
  /** A failing command ends it, as with `sh -e`. */
  readonly endsAtFailure: boolean;
  /** Variables of that platform that one node of ours can give, as shell words. */
  readonly variables: Readonly<Record<string, string>>;
  /** How that platform’s variables begin. */
  readonly prefix: string;
}

/** A script for `run` or `setup`, and the platform’s variables in it that nobody sets here. */
export interface CarriedScript {
  readonly text: string;
  readonly unset: readonly string[];
}

const BASH_ONLY =
  /\[\[|\]\]|<\(|>\(|\(\(|<<<|\$\{\w+\[|\bsource\s|\bdeclare\s|\bfunction\s|\bshopt\b|\bpushd\b|\bset -o pipefail|&>|\bconda activate\b/;
const END = 'RINGFENCE_SCRIPT';

/** Turns a script of another platform into one for our `sh -e` that does the same. */
export function carryScript(script: string, { endsAtFailure, variables, prefix }: ScriptHabits): CarriedScript {
  const mentioned = [...new Set(script.match(new RegExp(`\\b${prefix}[A-Z0-9_]+\\b`, 'g')) ?? [])].toSorted();
  const given = mentioned.filter((name) => Object.hasOwn(variables, name));
  const lines = given.map((name) => `export ${name}=${variables[name] ?? ''}`);
  const body = script.replace(/\n+$/, '');
  // A here-document on another descriptor than stdin, which stays the job's.
  const inBash = BASH_ONLY.test(body) && !body.split('\n').includes(END);
  if (inBash) lines.push(`bash ${endsAtFailure ? '-e ' : ''}/dev/fd/3 3<<'${END}'`, body, END);
  else lines.push(...(endsAtFailure ? [] : ['set +e']), body);
  return { text: `${lines.join('\n')}\n`, unset: mentioned.filter((name) => !given.includes(name)) };
}
