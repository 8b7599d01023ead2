import { epochMs } from '@ringfence/base';
import type { AuditEntry } from '@ringfence/ledger/tlog';
import { momentText } from '../placement/moment-text.ts';

/** One row of a list: index, time, who, what, how it went, about what. */
export function entryCells({ seq, at, actor, action, outcome, objects, reasons }: AuditEntry): string[] {
  const about = reasons.length === 0 ? objects.slice(0, 2).join(' ') : `${objects[0] ?? ''} (${reasons.join(', ')})`;
  return [String(seq), momentText(epochMs(at)), actor.id ?? actor.kind, action, outcome, about];
}

/** The heads of those columns. */
export const ENTRY_HEAD = ['INDEX', 'AT', 'BY', 'ACTION', 'OUTCOME', 'ABOUT'] as const;

/** A whole entry in lines. */
export function entryLines(entry: AuditEntry): string[] {
  const { seq, id, at, org, actor, action, outcome, reasons, objects, statements, facts, subjects } = entry;
  return [
    `entry ${seq} (${id}) of ${org ?? 'no organisation'}, ${momentText(epochMs(at))}`,
    `  ${actor.kind}${actor.id === null ? '' : ` ${actor.id}`}: ${action}, ${outcome}`,
    ...(reasons.length === 0 ? [] : [`  because of ${reasons.join(', ')}`]),
    ...objects.map((object) => `  about ${object}`),
    ...statements.map((statement) => `  statement ${statement}`),
    ...Object.entries(facts).map(([name, value]) => `  ${name}: ${value}`),
    ...subjects.map(({ handle }) => `  says of a person (${handle}) what only its keeper opens`),
  ];
}
