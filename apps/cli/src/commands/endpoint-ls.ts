import type { EndpointRow } from '@ringfence/protocol/payload';
import type { Command } from '../command.ts';
import { addressesOf } from '../endpoint/which-endpoint.ts';
import { withSession } from '../session.ts';
import { table } from '../terminal.ts';

export const command: Command = {
  usage: '',
  summary: 'endpoints: replicas, how they scale, and where callers reach them',
  options: {},
  words: [0, 0],
  async run(context) {
    const { endpoints } = await withSession(context, ({ custodian }) => custodian.endpoints());
    context.terminal.value({ endpoints });
    const cells = endpoints.map((row) => [
      row.name,
      row.api,
      `${row.revision}${row.ready ? '' : ' (coming)'}${row.coming === null ? '' : ` (${row.coming} coming)`}`,
      replicasText(row),
      `${row.scale.min}..${row.scale.max}${row.scale.manual ? ' (manual)' : ''}`,
      String(row.tokens.length),
      addressesOf(row).join(' ') || (row.gateways.length === 0 ? 'no gateway' : 'by the relay'),
    ]);
    context.terminal.line(table(['NAME', 'API', 'REVISION', 'REPLICAS', 'SCALE', 'TOKENS', 'ADDRESS'], cells));
  },
};

/** Counts by state, what serves first; parked ones are no news. */
function replicasText({ replicas }: EndpointRow): string {
  const counted = (['ready', 'wanted', 'draining'] as const).flatMap((state) => {
    const count = replicas.filter((replica) => replica.state === state).length;
    return count === 0 ? [] : [`${count} ${state}`];
  });
  return counted.join(', ') || '0';
}
