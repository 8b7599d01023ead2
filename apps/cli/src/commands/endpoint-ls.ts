import type { EndpointRow } from '@ringfence/protocol/payload';
import type { Command, CommandContext } from '../command.ts';
import { addressesOf } from '../endpoint/which-endpoint.ts';
import { isGivenUp, whyNotReady } from '../endpoint/why-not-ready.ts';
import { withSession, type Session } from '../session.ts';
import { tableOr } from '../terminal.ts';

const HEAD = ['NAME', 'API', 'REVISION', 'REPLICAS', 'SCALE', 'TOKENS', 'ADDRESS'] as const;

export const command: Command = {
  usage: '',
  summary: 'endpoints: replicas, how they scale, and where callers reach them',
  options: {},
  words: [0, 0],
  async run(context) {
    const { endpoints, reasons } = await withSession(context, async (session) => {
      const { endpoints: rows } = await session.custodian.endpoints();
      return { endpoints: rows, reasons: await reasonsOf(context, session, rows) };
    });
    context.terminal.value({ endpoints });
    const cells = endpoints.map((row) => [
      row.name,
      row.api,
      revisionText(row),
      replicasText(row),
      `${row.scale.min}..${row.scale.max}${row.scale.manual ? ' (manual)' : ''}`,
      String(row.tokens.length),
      addressesOf(row).join(' ') || (row.gateways.length === 0 ? 'no gateway' : 'by the relay'),
    ]);
    context.terminal.line(tableOr('no endpoints: launch a file with `type: serve`', HEAD, cells));
    for (const line of reasons) context.terminal.line(line);
  },
};

/** A line for each endpoint that nobody can call although somebody should. */
async function reasonsOf(context: CommandContext, session: Session, rows: readonly EndpointRow[]): Promise<string[]> {
  const lines: string[] = [];
  for (const row of rows) {
    const { name, replicas } = row;
    if (isGivenUp(row)) lines.push(`${name} was given up: ringfence status ${name}`);
    else if (!replicas.some(({ state }) => state === 'ready')) {
      const [reason] = await whyNotReady(context, session, replicas);
      if (reason !== undefined) lines.push(`${name} is not ready: ${reason.what}: ringfence status ${name}`);
    }
  }
  return lines;
}

function revisionText(row: EndpointRow): string {
  if (isGivenUp(row)) return `${row.revision} (given up)`;
  return `${row.revision}${row.ready ? '' : ' (coming)'}${row.coming === null ? '' : ` (${row.coming} coming)`}`;
}

/** Counts by state, what serves first; parked ones are no news. */
function replicasText({ replicas }: EndpointRow): string {
  const counted = (['ready', 'wanted', 'draining'] as const).flatMap((state) => {
    const count = replicas.filter((replica) => replica.state === state).length;
    return count === 0 ? [] : [`${count} ${state}`];
  });
  return counted.join(', ') || '0';
}
