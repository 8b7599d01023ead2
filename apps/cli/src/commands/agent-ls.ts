import { formatSize } from '@ringfence/base';
import type { Command } from '../command.ts';
import { withSession } from '../session.ts';
import { tableOr } from '../terminal.ts';

const NONE = 'no servers yet: `ringfence agent join-code --name NAME --site SITE` makes the code with which one joins';

export const command: Command = {
  usage: '',
  summary: 'the organisation’s servers: names from the custodian, state from the control plane',
  options: {},
  words: [0, 0],
  async run(context) {
    const rows = await withSession(context, async ({ custodian, controlPlane }) => {
      const [named, seen] = await Promise.all([custodian.agents(), controlPlane.agents()]);
      return named.map(({ agent, name, site, tier, locked, removed }) => {
        const view = seen.find((other) => other.agent === agent);
        return {
          agent,
          name,
          site,
          tier,
          removed,
          online: view?.online ?? false,
          locked: locked || (view?.locked ?? false),
          draining: view?.draining ?? false,
          isolations: view?.isolations ?? [],
          freeCpuMilli: view?.freeCpuMilli ?? 0,
          freeMemoryBytes: view?.freeMemoryBytes ?? 0,
        };
      });
    });
    context.terminal.value({ agents: rows });
    const cells = rows
      .filter(({ removed }) => !removed)
      .map((row) => [
        row.name,
        row.site,
        row.tier,
        stateOf(row),
        row.isolations.join(' '),
        `${row.freeCpuMilli / 1000}`,
        formatSize(row.freeMemoryBytes),
        row.agent,
      ]);
    context.terminal.line(
      tableOr(NONE, ['NAME', 'SITE', 'TIER', 'STATE', 'ISOLATION', 'FREE CPUS', 'FREE MEMORY', 'ID'], cells),
    );
  },
};

function stateOf(row: { readonly locked: boolean; readonly draining: boolean; readonly online: boolean }): string {
  if (row.locked) return 'locked';
  const here = row.online ? 'online' : 'offline';
  return row.draining ? `${here}, draining` : here;
}
