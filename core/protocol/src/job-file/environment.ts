import { SECRET_FILE, SECRETS_FOLDER } from '../payload/workload.ts';
import { parseVariableName, type VariableName } from './names.ts';
import { below, entriesOf, listOf, refuse, type Place, type Read } from './read.ts';
import type { MapNode, Tree } from './tree.ts';

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

/** A secret by its name, and where it lies as a file instead of being a variable. */
export interface SecretWish {
  readonly name: VariableName;
  readonly file?: string;
}

const secretWish: Read<SecretWish> = (tree, place) => {
  if (tree.kind === 'refused') return undefined;
  if (tree.kind === 'map') return secretFile(tree, place);
  if (tree.kind !== 'text' || tree.text.includes('=')) return refuseSecretValue(place);
  const name = readName(tree.text, place);
  return name === undefined ? undefined : { name };
};
const secretWishes = listOf(secretWish, 1, 64);

/** `{name, file}` and nothing else: any other map could hold a value. */
function secretFile({ entries }: MapNode, place: Place): SecretWish | undefined {
  const keys = entries.map(({ key }) => key).toSorted();
  const [file, name] = ['file', 'name'].map((key) => entries.find((entry) => entry.key === key)?.value);
  if (keys.join() !== 'file,name' || name?.kind !== 'text' || name.text.includes('=')) return refuseSecretValue(place);
  const read = readName(name.text, below(place, 'name'));
  if (file?.kind === 'text' && SECRET_FILE.test(file.text))
    return read === undefined ? undefined : { name: read, file: file.text };
  const message = `this takes a name in ${SECRETS_FOLDER}, such as ${SECRETS_FOLDER}/key.pem`;
  return refuse(below(place, 'file'), { code: 'wrong-value', message });
}

/** Names of secrets. Every form that could carry a value is refused, and the value is not repeated. */
export const secrets: Read<readonly SecretWish[]> = (tree, place) =>
  tree.kind === 'list' || tree.kind === 'refused' ? secretWishes(tree, place) : refuseSecretValue(place);

function refuseSecretValue(place: Place): undefined {
  const message =
    'this takes a list of names such as [HF_TOKEN]; a value never stands in the file, the custodian keeps it';
  return refuse(place, { code: 'secret-value', message });
}
