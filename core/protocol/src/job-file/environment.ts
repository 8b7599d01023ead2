import { parseVariableName, type VariableName } from './names.ts';
import { below, entriesOf, listOf, refuse, type Place, type Read } from './read.ts';
import type { Tree } from './tree.ts';

/** Environment variables of the job's process, values as written. */
export type Environment = Readonly<Record<string, string>>;

const MAX_VARIABLES = 256;
const MAX_VALUE = 32_768;

/** Variables by name; a value is the text that stands in the file, never a number or a truth value of YAML. */
export const environment: Read<Environment> = (tree, place) => {
  const entries = entriesOf(tree, place);
  if (entries === undefined) return undefined;
  if (entries.length > MAX_VARIABLES) {
    return refuse(place, { code: 'out-of-range', message: `this takes at most ${MAX_VARIABLES} variables` });
  }
  const read = entries.flatMap(({ key, value }) => {
    const at = below(place, key);
    const name = readName(key, at);
    const written = readValue(value, at);
    return name === undefined || written === undefined ? [] : [[name, written] as const];
  });
  return Object.fromEntries(read);
};

function readName(key: string, place: Place): VariableName | undefined {
  const name = parseVariableName(key);
  if (name === undefined) {
    return refuse(place, {
      code: 'wrong-value',
      message: 'a variable is named with letters, digits and _, no digit first',
    });
  }
  if (!name.startsWith('RINGFENCE_')) return name;
  return refuse(place, { code: 'reserved', message: 'variables that start with RINGFENCE_ are set by Ringfence' });
}

function readValue(value: Tree, place: Place): string | undefined {
  if (value.kind === 'refused') return undefined;
  if (value.kind !== 'text') return refuse(place, { code: 'wrong-shape', message: 'this takes a single value' });
  if (value.text.length <= MAX_VALUE && !value.text.includes('\0')) return value.text;
  return refuse(place, { code: 'out-of-range', message: 'this takes up to 32768 characters, none of them NUL' });
}

const secretName: Read<VariableName> = (tree, place) => {
  if (tree.kind === 'refused') return undefined;
  if (tree.kind !== 'text' || tree.text.includes('=')) return refuseSecretValue(place);
  return readName(tree.text, place);
};
const secretNames = listOf(secretName, 1, 64);

/** Names of secrets. Every form that could carry a value is refused, and the value is not repeated. */
export const secrets: Read<readonly VariableName[]> = (tree, place) =>
  tree.kind === 'list' || tree.kind === 'refused' ? secretNames(tree, place) : refuseSecretValue(place);

function refuseSecretValue(place: Place): undefined {
  const message =
    'this takes a list of names such as [HF_TOKEN]; a value never stands in the file, the custodian keeps it';
  return refuse(place, { code: 'secret-value', message });
}
