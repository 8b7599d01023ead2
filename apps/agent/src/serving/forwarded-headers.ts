import { REFUSAL_HEADER } from '@ringfence/protocol/payload';
import { HOP_BY_HOP } from '../http/hop-by-hop.ts';

/** What a caller could pass itself off with: a replica must not believe it, so it does not see it. */
const CALLERS_WORD = ['authorization', 'expect', 'forwarded', 'host', 'via', 'x-real-ip'];
const NOT_TO_REPLICA: ReadonlySet<string> = new Set([...HOP_BY_HOP, ...CALLERS_WORD]);
const NOT_TO_CALLER: ReadonlySet<string> = new Set([...HOP_BY_HOP, REFUSAL_HEADER]);

/** Header lines `name, value, …` of a request as a replica gets them; the host line is `host`. */
export function toReplica(raw: readonly string[], host: string): string[] {
  const named = namedByConnection(raw);
  const kept: string[] = ['host', host];
  for (let index = 0; index + 1 < raw.length; index += 2) {
    const [name, value] = [raw[index] ?? '', raw[index + 1] ?? ''];
    // CGI and WSGI read both spellings as one.
    const plain = name.toLowerCase().replaceAll('_', '-');
    if (NOT_TO_REPLICA.has(plain) || plain.startsWith('x-forwarded-') || plain === REFUSAL_HEADER) continue;
    if (plain === 'content-length' && name.includes('_')) continue;
    if (named !== undefined && plain !== 'content-length' && named.has(plain)) continue;
    kept.push(name, value);
  }
  return kept;
}

/** Header lines of an answer as a caller gets them. */
export function toCaller(raw: readonly (Buffer | string)[]): string[] {
  const lines = raw.map((part) => (typeof part === 'string' ? part : part.toString('latin1')));
  const named = namedByConnection(lines);
  const kept: string[] = [];
  for (let index = 0; index + 1 < lines.length; index += 2) {
    const [name, value] = [lines[index] ?? '', lines[index + 1] ?? ''];
    const plain = name.toLowerCase();
    if (NOT_TO_CALLER.has(plain)) continue;
    if (named !== undefined && plain !== 'content-length' && named.has(plain)) continue;
    kept.push(name, value);
  }
  return kept;
}

/** Headers that `Connection` lines name; a line that names the length takes nothing away: both ends must agree on where a message ends. */
function namedByConnection(raw: readonly string[]): ReadonlySet<string> | undefined {
  let named: Set<string> | undefined;
  for (let index = 0; index + 1 < raw.length; index += 2) {
    const name = raw[index] ?? '';
    if (name.length !== 10 || name.toLowerCase() !== 'connection') continue;
    const value = raw[index + 1] ?? '';
    if (value === 'keep-alive' || value === 'close') continue;
    named ??= new Set();
    for (const word of value.split(',')) named.add(word.trim().toLowerCase().replaceAll('_', '-'));
  }
  return named;
}
