import { join } from 'node:path';
import { formatSize } from '@ringfence/base';
import { CliError } from '../cli-error.ts';
import { text, type Command } from '../command.ts';
import { hasProfile, readProfile } from '../home/profile.ts';
import { table, type Terminal } from '../terminal.ts';
import { journalFolders } from '../wire/journal-folders.ts';
import { reconcile } from '../wire/reconcile.ts';
import { smugglingLines } from '../wire/smuggling-lines.ts';
import { showReconciliation } from '../wire/show-reconciliation.ts';
import { verifyLinks, type VerifiedLink } from '../wire/verify-journal.ts';

const PROBLEMS_SHOWN = 10;

export const command: Command = {
  usage: '--state DIR [--seal-key-file FILE] [--capture FILE.pcap] [--counters FILE [--since TIME]]',
  summary: 'prove from a party’s own journal what crossed its control links, to the byte',
  options: {
    state: { type: 'string' },
    'seal-key-file': { type: 'string' },
    capture: { type: 'string' },
    counters: { type: 'string' },
    since: { type: 'string' },
  },
  words: [0, 0],
  async run({ terminal, home }, _, flags) {
    const state = text(flags, 'state');
    if (state === undefined)
      throw new CliError('usage', '--state is missing', { next: `ringfence wire verify ${this.usage}` });
    const known = hasProfile(home) ? readProfile(home).controlPlane : undefined;
    const sealKeyFile = text(flags, 'seal-key-file') ?? join(state, 'seal.key');
    const verified = verifyLinks(journalFolders(state), { known, sealKeyFile });
    const seen = reconcile(verified.links, {
      capture: text(flags, 'capture'),
      counters: text(flags, 'counters'),
      since: text(flags, 'since'),
    });
    terminal.value({ ...verified, ...seen, ok: verified.ok && seen.ok });
    for (const link of verified.links) show(terminal, link);
    showReconciliation(terminal, seen);
    if (!verified.ok || !seen.ok)
      throw new CliError('check-failed', 'the journal does not prove what crossed', {
        next: 'docs/protocol/control-link.md says what each problem means; keep the folder as it is',
      });
  },
};

function show({ line }: Terminal, report: VerifiedLink): void {
  const { link, connections, messages, bytesIn, bytesOut, records, problems, problemCount } = report;
  line(`${link === '' ? 'link' : link} with ${report.controlPlane}: ${report.ok ? 'verified' : 'NOT VERIFIED'}`);
  line(`  ${records} records, ${connections.length} connections, ${bytesIn} B in, ${bytesOut} B out`);
  if (report.from > 1) line(`  records before ${report.from} were removed: checked from the checkpoint there`);
  line(`  last record ${records}, head ${report.head}`);
  line(`  control plane’s root as pinned: ${report.root}`);
  if (report.otherRoot) line('  problem: the profile knows this control plane by another root');
  const cells = messages.map(({ name, dir, frames, bytes }) => [
    dir === 'out' ? '→' : '←',
    name,
    String(frames),
    formatSize(bytes),
  ]);
  if (cells.length > 0) line(indent(table(['', 'MESSAGE', 'FRAMES', 'BYTES'], cells)));
  for (const { seq, code } of problems.slice(0, PROBLEMS_SHOWN)) line(`  problem at record ${seq}: ${code}`);
  if (problemCount > PROBLEMS_SHOWN) line(`  and ${problemCount - PROBLEMS_SHOWN} more`);
  for (const text of smugglingLines(report)) line(`  ${text}`);
}

function indent(text: string): string {
  return text.replaceAll(/^/gm, '  ');
}
