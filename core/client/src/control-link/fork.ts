import type { MessageBody } from '@ringfence/protocol/messages';
import type { JournalPoint } from './accept-link-options.ts';

/**
 * Whether a hello comes from another journal than the one whose point the control plane had stored: its hash at that
 * point differs, it does not reach it, or it claims a point where none was asked for.
 */
export function hasForked(hello: MessageBody<'hello'>, offered: JournalPoint | null): boolean {
  const { resume, journal } = hello;
  if (offered === null) return resume !== null;
  return resume === null || resume.seq !== offered.seq || resume.hash !== offered.hash || journal.seq <= offered.seq;
}
