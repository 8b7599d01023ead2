import type { ReconciledConnection } from '@ringfence/ledger';
import { table, type Terminal } from '../terminal.ts';
import type { SeenReports } from './reconcile.ts';

/** Prints what comparing with a capture and with counters showed. */
export function showReconciliation({ line }: Terminal, { capture, counters }: SeenReports): void {
  if (capture !== undefined) {
    line(`capture: ${capture.packets} packets: ${capture.ok ? 'every byte is in the journal' : 'DOES NOT AGREE'}`);
    const rows = capture.connections.map(rowOf);
    if (rows.length > 0)
      line(table(['FROM', 'TO', 'OUT', 'IN', 'APPLICATION', 'EXPLAINED', 'STATE', 'PROBLEMS'], rows));
    for (const dial of capture.notCaptured) line(`  not in the capture: the connection of record ${dial}`);
    if (capture.unreadable > 0) line(`  ${capture.unreadable} TCP packets could not be read`);
  }
  if (counters === undefined) return;
  line(`counters: ${counters.ok ? 'the journal lies within their bounds' : 'DO NOT AGREE'}`);
  for (const { name, packets, bytes, least, most, recorded, ok } of counters.counters)
    line(
      `  ${name}: ${bytes} B in ${packets} packets carry ${least} to ${most} B; recorded ${recorded}${ok ? '' : ' !'}`,
    );
  if (counters.open > 0)
    line(`  ${counters.open} connections are still open: stop the party, or take a capture instead`);
}

function rowOf({ local, remote, out, application, explained, state, problems, ...rest }: ReconciledConnection) {
  const number = (value: number | undefined): string => (value === undefined ? '-' : String(value));
  return [
    local,
    remote,
    String(out),
    String(rest.in),
    number(application),
    number(explained),
    state,
    problems.length === 0 ? '-' : problems.join(' '),
  ];
}
