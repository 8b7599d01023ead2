import { IDENTITY_FILE, MOST_IDENTITIES, audience } from '../payload/identities.ts';
import { below, entriesOf, refuse, type Place, type Read } from './read.ts';
import type { Tree } from './tree.ts';

/** For whom a job asks for identities, by the names of their files. */
export type Audiences = Readonly<Record<string, string>>;

/** `{FILE: AUDIENCE, …}`: one token for each, in a file of this name. */
export const audiences: Read<Audiences> = (tree, place) => {
  const entries = entriesOf(tree, place);
  if (entries === undefined) return undefined;
  if (entries.length < 1 || entries.length > MOST_IDENTITIES)
    return refuse(place, { code: 'out-of-range', message: `this takes 1 to ${MOST_IDENTITIES} audiences` });
  const read = entries.flatMap(({ key, value }) => {
    const at = below(place, key);
    const named = IDENTITY_FILE.test(key);
    if (!named)
      refuse(at, { code: 'wrong-value', message: 'a token lies in a file named by up to 32 of a-z, 0-9 and -' });
    const whom = readAudience(value, at);
    return named && whom !== undefined ? [[key, whom] as const] : [];
  });
  return Object.fromEntries(read);
};

function readAudience(value: Tree, place: Place): string | undefined {
  if (value.kind === 'refused') return undefined;
  if (value.kind === 'text' && audience.safeParse(value.text).success) return value.text;
  const message = 'this takes one audience such as https://vault.example.internal: up to 255 visible characters';
  return refuse(place, { code: 'wrong-value', message });
}
