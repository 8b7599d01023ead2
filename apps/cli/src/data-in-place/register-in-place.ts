import type { DeviceId } from '@ringfence/base';
import type { Sensitivity } from '@ringfence/protocol';
import { sitePath, type ArtifactRow } from '@ringfence/protocol/payload';
import { CliError } from '../cli-error.ts';
import type { CommandContext } from '../command.ts';
import { withAgent } from '../job/agent-client.ts';
import { byteProgress } from '../progress.ts';
import { withSession, type Session } from '../session.ts';
import { indexAtSite } from './index-at-site.ts';

/** What is registered, where, and under which label. */
export interface PlacedData {
  readonly name: string;
  /** `SITE:/path`. */
  readonly at: string;
  readonly labels: {
    readonly sensitivity: Sensitivity;
    readonly residency: string[];
    readonly purposes: string[];
    readonly lowerLabel?: true;
    readonly owner?: DeviceId;
    readonly derivedFrom?: string[];
    readonly contractOnly?: true;
  };
}

/** Has an agent of the site read the folder, and registers its digest at the custodian; nothing is copied. Throws CliError. */
export async function registerInPlace(context: CommandContext, { name, at, labels }: PlacedData): Promise<ArtifactRow> {
  const [, site = '', path = ''] = /^([^:]+):(.+)$/.exec(at) ?? [];
  if (!sitePath.safeParse(path).success)
    throw new CliError('usage', '--at takes a site and a whole path', { next: 'write it as --at SITE:/srv/data' });
  return withSession(context, async (session) => {
    const agent = await agentOf(session, site);
    const progress = byteProgress(context.terminal, `reading at ${site}`);
    let read = 0;
    const index = await withAgent(context, session, agent, (link) =>
      indexAtSite(link, path, (bytes) => {
        progress.add(bytes - read);
        read = bytes;
      }),
    );
    progress.end();
    const { manifest, files, bytes } = index;
    return session.custodian.addPlacedDataset({ name, ...labels, agent, path: index.path, manifest, files, bytes });
  });
}

async function agentOf({ custodian }: Session, site: string) {
  const agents = await custodian.agents();
  const there = agents.find((agent) => agent.site === site && !agent.locked && !agent.removed);
  if (there !== undefined) return there.agent;
  const known = [...new Set(agents.filter(({ removed }) => !removed).map((agent) => agent.site))].join(', ');
  throw new CliError('not-found', `no agent serves the site ${site}`, {
    next: known === '' ? 'let a server of it join: ringfence agent join-code' : `sites are: ${known}`,
  });
}
