import { CliError } from '../cli-error.ts';
import type { Command } from '../command.ts';
import { countsLines } from '../endpoint/counts-text.ts';
import { readGatewayCounts, sumOf } from '../endpoint/gateway-counts.ts';
import { whichEndpoint } from '../endpoint/which-endpoint.ts';
import { withSession } from '../session.ts';

export const command: Command = {
  usage: 'NAME',
  summary: 'what gateways counted of an endpoint: answers, errors, latency, tokens',
  options: {},
  words: [1, 1],
  async run(context, [name = '']) {
    const gateways = await withSession(context, async (session) => {
      const { row } = await whichEndpoint(session, name);
      return readGatewayCounts(context, session, row);
    });
    const [first, ...others] = gateways.map(({ counts }) => counts);
    if (first === undefined) throw new CliError('no-gateway', 'no gateway serves callers yet');
    const total = sumOf([first, ...others]);
    context.terminal.value({ total, gateways });
    for (const line of countsLines(total, gateways.length)) context.terminal.line(line);
  },
};
