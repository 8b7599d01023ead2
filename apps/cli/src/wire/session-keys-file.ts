import { readFileSync } from 'node:fs';
import { readSessionKeys, type SessionKeysByConnection } from '@ringfence/ledger';

/**
 * The keys in a link's `sessions.jsonl`, which its party may be writing to: a connection that came up since is looked for again. The names
 * are those of the first look, before which the journal named them all.
 */
export function sessionKeysIn(path: string): SessionKeysByConnection {
  let text = readText(path);
  const first = readSessionKeys(text);
  let latest = first;
  const again = (): typeof latest => {
    const now = readText(path);
    if (now.length !== text.length) [text, latest] = [now, readSessionKeys(now)];
    return latest;
  };
  return { keys: () => first.keys(), get: (conn) => latest.get(conn) ?? again().get(conn) };
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    // Without the file every connection shows as one whose keys are missing.
    return '';
  }
}
