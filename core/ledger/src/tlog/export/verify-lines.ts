import { claimedIndex } from '../entry/audit-entry.ts';
import { parseVerifierKey } from '../note/verifier-key.ts';
import { parseExportRecord } from './log-export.ts';
import type { LogVerdict } from './log-verdict.ts';
import { LogVerifier, type LogVerifierOptions } from './log-verifier.ts';

/** Verifies an audit log's export, line by line (with or without their newlines). */
export async function verifyLines(
  lines: AsyncIterable<string> | Iterable<string>,
  options: Pick<LogVerifierOptions, 'trust' | 'held'>,
): Promise<LogVerdict> {
  const verifier = new LogVerifier({ ...options, claimOf: claimedIndex });
  for await (const line of lines) verifier.take(parseExportRecord(line.endsWith('\n') ? line.slice(0, -1) : line));
  return verifier.end();
}

/** The trust in the log whose key `text` spells: a log's key carries its origin. Undefined for any other text. */
export function trustInLog(text: string): LogVerifierOptions['trust'] | undefined {
  const key = parseVerifierKey(text);
  return key?.type === 'note' ? { origin: key.name, logKeys: [key] } : undefined;
}
