import { formatSize } from '@ringfence/base';
import type { Keyring } from '@ringfence/keyring';
import { CliError } from '../cli-error.ts';
import type { Command, CommandContext } from '../command.ts';
import { checkedKeyring } from '../home/checked-keyring.ts';
import { papersOf, papersText } from '../keyring/papers.ts';
import { withSession, type Session } from '../session.ts';
import { tableOr } from '../terminal.ts';

const NONE = 'no servers yet: `ringfence agent join-code --name NAME --site SITE` makes the code with which one joins';

const HEAD = ['NAME', 'SITE', 'TIER', 'STATE', 'ISOLATION', 'FREE CPUS', 'FREE MEMORY', 'PAPERS UNTIL', 'ID'] as const;

export const command: Command = {
  usage: '',
  summary: 'the organisation’s servers: names from the custodian, state from the control plane',
  options: {},
  words: [0, 0],
  async run(context) {
    const rows = await withSession(context, async (session) => {
      const { custodian, controlPlane } = session;
      const [named, seen, keyring] = await Promise.all([
        custodian.agents(),
        controlPlane.agents(),
        keyringOrNote(context, session),
      ]);
      return named.map(({ agent, name, site, tier, locked, removed }) => {
        const view = seen.find((other) => other.agent === agent);
        const member = keyring?.agent(agent);
        return {
          agent,
          name,
          site,
          siteId: member?.site ?? null,
          tier,
          papers: (member === undefined ? undefined : papersOf(member)) ?? null,
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
    const here = rows.filter(({ removed }) => !removed);
    const cells = here.map((row) => [
      row.name,
      row.site,
      row.tier,
      stateOf(row),
      row.isolations.join(' '),
      `${row.freeCpuMilli / 1000}`,
      formatSize(row.freeMemoryBytes),
      papersText(row.papers, context.clock.now()),
      row.agent,
    ]);
    context.terminal.line(tableOr(NONE, HEAD, cells));
    for (const line of siteLines(here)) context.terminal.line(line);
  },
};

/** The ids by which evidence and provider’s papers name sites. */
function siteLines(rows: readonly { readonly site: string; readonly siteId: string | null }[]): string[] {
  const ids = new Map(rows.flatMap(({ site, siteId }) => (siteId === null ? [] : [[site, siteId] as const])));
  return ids.size === 0 ? [] : [`sites: ${[...ids].map(([name, id]) => `${name} is ${id}`).join(', ')}`];
}

/** The keyring; undefined, and a note, when its head is not good: what the servers are doing is told all the same. */
async function keyringOrNote(context: CommandContext, session: Session): Promise<Keyring | undefined> {
  try {
    return await checkedKeyring(context, session);
  } catch (error) {
    if (!(error instanceof CliError)) throw error;
    context.terminal.note(`papers and ids of sites are not told: ${error.message}`);
    return undefined;
  }
}

function stateOf(row: { readonly locked: boolean; readonly draining: boolean; readonly online: boolean }): string {
  if (row.locked) return 'locked';
  const here = row.online ? 'online' : 'offline';
  return row.draining ? `${here}, draining` : here;
}
