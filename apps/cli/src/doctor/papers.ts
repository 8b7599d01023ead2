import type { EpochMs } from '@ringfence/base';
import type { AgentEntry } from '@ringfence/keyring';
import { papersOf, papersWarning } from '../keyring/papers.ts';
import { good, warn, type Finding } from './finding.ts';

const REMEDY =
  'its provider makes new papers with `ringfence provider certify`, `ringfence agent renew` takes them in: docs/protocol/marketplace.md';

/** Whether the papers of machines away from home hold, and for how long; nothing where there are none. */
export function papersFindings(
  agents: readonly AgentEntry[],
  nameOf: (agent: string) => string,
  now: EpochMs,
): Finding[] {
  const held = agents.flatMap((agent) => {
    const papers = papersOf(agent);
    return papers === undefined ? [] : [{ name: nameOf(agent.id), warning: papersWarning(papers, now) }];
  });
  if (held.length === 0) return [];
  const warnings = held.flatMap(({ name, warning }) =>
    warning === undefined ? [] : [warn('papers', `of ${name} ${warning}`, REMEDY)],
  );
  return warnings.length > 0
    ? warnings
    : [good('papers', `${held.length} ${held.length === 1 ? 'server' : 'servers'} away from home, in order`)];
}
