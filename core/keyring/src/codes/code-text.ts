import { canonicalBytes, fromBase64Url, fromUtf8, toBase64Url, utf8 } from '@ringfence/base';
import { sha256 } from '@ringfence/crypto/sign';
import type { z } from 'zod';
import { KeyringError } from '../keyring-error.ts';

/** What a code is for, by the prefix of its text. */
export const CODE_PREFIX = { join: 'rfj1', claim: 'rfc1', registration: 'rfr1' } as const;
/** The kinds of codes. */
export type CodeKind = keyof typeof CODE_PREFIX;

const MAX_LENGTH = 4096;
const CHECK_BYTES = 6;

/** `prefix.body.check`: base64url of canonical JSON, and the first 6 bytes of a SHA-256 against slips of copying. */
export function writeCode(kind: CodeKind, fields: unknown): string {
  const head = `${CODE_PREFIX[kind]}.${toBase64Url(canonicalBytes(fields))}`;
  return `${head}.${checkOf(head)}`;
}

/**
 * The fields of a code's text; spaces and line breaks that a terminal put in are left out. Throws KeyringError `bad-code`,
 * which says what is wrong and repeats nothing of the text.
 */
export function readCode<Schema extends z.ZodType>(kind: CodeKind, schema: Schema, text: string): z.infer<Schema> {
  if (text.length > 2 * MAX_LENGTH) throw unreadable(kind, 'is too long');
  const packed = text.replaceAll(/\s/g, '');
  if (packed.length > MAX_LENGTH) throw unreadable(kind, 'is too long');
  const [prefix, body, check, ...more] = packed.split('.');
  if (prefix !== CODE_PREFIX[kind]) throw wrongKind(kind, prefix);
  if (body === undefined || check === undefined || more.length > 0) throw unreadable(kind, 'is cut off');
  if (check !== checkOf(`${prefix}.${body}`)) throw unreadable(kind, 'does not match its check letters');
  const parsed = schema.safeParse(parseBody(kind, body));
  if (!parsed.success) throw unreadable(kind, 'lacks something, or is of another version');
  return parsed.data;
}

function parseBody(kind: CodeKind, body: string): unknown {
  try {
    const bytes = fromBase64Url(body);
    const value: unknown = JSON.parse(fromUtf8(bytes));
    if (Buffer.compare(canonicalBytes(value), bytes) === 0) return value;
  } catch {
    throw unreadable(kind, 'does not read');
  }
  throw unreadable(kind, 'does not read');
}

function checkOf(head: string): string {
  return toBase64Url(sha256(utf8(`ringfence/code/v1\0${head}`)).subarray(0, CHECK_BYTES));
}

function wrongKind(kind: CodeKind, prefix: string | undefined): KeyringError {
  const other = (Object.keys(CODE_PREFIX) as CodeKind[]).find((name) => CODE_PREFIX[name] === prefix);
  return unreadable(kind, other === undefined ? `does not begin with ${CODE_PREFIX[kind]}.` : `is a ${other} code`);
}

function unreadable(kind: CodeKind, problem: string): KeyringError {
  return new KeyringError('bad-code', `the ${kind} code ${problem}`, {
    next: `copy the whole ${kind} code again, or ask for a new one`,
  });
}
