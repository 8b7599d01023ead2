import { fingerprintWords, parseSigningPublicKey } from '@ringfence/crypto/sign';
import type { Contract } from '@ringfence/protocol/statements';

/** One value that a contract holds: where it stands in the signed document, and what it says, in words beside it where that helps. */
export interface ContractField {
  /** Such as `parties[0].root`. */
  readonly path: string;
  /** The value as it was signed, on one line; what does not print is escaped. */
  readonly value: string;
  /** What it means: words of a fingerprint, a date, a name. */
  readonly note?: string;
}

/** Every value of a contract, in the order of its document: nothing that was signed is left out, and nothing is added to it. */
export function contractFields(contract: Contract): ContractField[] {
  const names = new Map<string, string>(contract.parties.map(({ org, name }) => [org, name]));
  return leavesOf(contract, '').map(({ path, value }) => {
    const note = noteOf(path, value, names);
    return { path, value: printable(value), ...(note === undefined ? {} : { note }) };
  });
}

type Leaf = { readonly path: string; readonly value: null | boolean | number | string };

function leavesOf(value: unknown, path: string): Leaf[] {
  if (Array.isArray(value)) {
    if (value.length === 0) return [{ path, value: '(none)' }];
    return value.flatMap((item, index) => leavesOf(item, `${path}[${index}]`));
  }
  if (typeof value === 'object' && value !== null)
    return Object.entries(value).flatMap(([key, member]) =>
      member === undefined ? [] : leavesOf(member, path === '' ? key : `${path}.${key}`),
    );
  return [{ path, value: value as Leaf['value'] }];
}

// Controls, formats, lone surrogates, unassigned and private ones, every space but U+0020, marks that alter the letter before them, blanks that Unicode calls letters or symbols, and the escape's own sign.
const UNSEEN = /[\p{C}\p{Default_Ignorable_Code_Point}\p{M}\p{Zl}\p{Zp}\u{2800}\\]|(?! )\p{Zs}/gu;

/** Characters that would not show, or would show something else in another place, as their escapes. */
function printable(value: Leaf['value']): string {
  return String(value ?? 'none').replaceAll(
    UNSEEN,
    (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`,
  );
}

function noteOf(path: string, value: Leaf['value'], names: ReadonlyMap<string, string>): string | undefined {
  const key = /[a-zA-Z]+(?=(?:\[\d+\])?$)/.exec(path)?.[0];
  if (typeof value === 'number' && (key === 'at' || key === 'notAfter')) return dateText(value);
  if (typeof value === 'number' && key === 'longestMs') return `${value / 1_000} s`;
  if (typeof value !== 'string') return undefined;
  if (key === 'org' || key === 'recipients') return names.get(value);
  if (key !== 'root' && key !== 'sign') return undefined;
  const signKey = parseSigningPublicKey(value);
  return signKey === undefined ? undefined : fingerprintWords(signKey);
}

/** In UTC (ISO 8601). */
function dateText(at: number): string {
  // oxlint-disable-next-line no-restricted-globals -- writes a time that was signed; no clock is read
  return new Date(at).toISOString();
}
