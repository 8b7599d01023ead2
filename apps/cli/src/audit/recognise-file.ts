import { closeSync, openSync, readSync } from 'node:fs';
import { jsonOf } from '@ringfence/base';
import { parseExportRecord } from '@ringfence/ledger/tlog';
import { CliError } from '../cli-error.ts';

/** What a file is, by how it begins; a claim that the verification of that kind then holds against it. */
export type FileKind = 'log-export' | 'tlog-proof' | 'checkpoint' | 'journal' | 'receipt' | 'erasure' | 'statement';

/** A segment's first record is a checkpoint, whose messages still wait: longer than this it cannot be. */
const MOST_START = 262_144;

/** Recognises a file. Throws CliError `bad-file` for one that cannot be read, or is none of those. */
export function recogniseFile(path: string): FileKind {
  const start = startOf(path);
  const [first = ''] = start.split('\n', 1);
  if (first === 'c2sp.org/tlog-proof@v1') return 'tlog-proof';
  if (/^ringfence\/\S+\n\d+\n[A-Za-z0-9+/]{43}=\n\n— /.test(start)) return 'checkpoint';
  const json = jsonOf(first) ?? jsonOf(start);
  if (parseExportRecord(first)?.kind === 'header') return 'log-export';
  if (isObject(json) && 'hash_prev' in json && 'kind' in json) return 'journal';
  if (isObject(json) && 'receipt' in json && 'keys' in json) return 'receipt';
  if (isObject(json) && 'payloadType' in json && 'signatures' in json) return 'statement';
  // A long one begins with its list, which is cut off here.
  if ((isObject(json) && 'report' in json) || first.startsWith('{"derived":[')) return 'erasure';
  throw new CliError('bad-file', `${path} is nothing that could be verified`, {
    next: 'name a journal, a receipt, an export of a log, a proof, a checkpoint, a report of an erasure, or a signed statement',
  });
}

function startOf(path: string): string {
  try {
    const file = openSync(path, 'r');
    try {
      const bytes = Buffer.alloc(MOST_START);
      return bytes.toString('utf8', 0, readSync(file, bytes));
    } finally {
      closeSync(file);
    }
  } catch (cause) {
    throw new CliError('bad-file', `${path} cannot be read`, { cause, next: 'name a file that is there' });
  }
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}
