import { CliError } from '../cli-error.ts';
import type { Command } from '../command.ts';
import { withSession } from '../session.ts';

export const command: Command = {
  usage: 'NAME N|auto',
  summary: 'fix the number of replicas, or give it back to the autoscaler',
  options: {},
  words: [2, 2],
  async run(context, [name = '', count = '']) {
    if (count !== 'auto' && !/^(?:\d|[1-9]\d|100)$/.test(count))
      throw new CliError('usage', 'a number of replicas is 0 to 100, or auto', {
        next: `ringfence endpoint scale ${this.usage}`,
      });
    const replicas = count === 'auto' ? null : Number(count);
    const { endpoints } = await withSession(context, ({ custodian }) => custodian.scaleEndpoint(name, replicas));
    const scale = endpoints.find((row) => row.name === name)?.scale;
    context.terminal.value({ name, scale: scale ?? null });
    context.terminal.line(replicas === null ? `${name} scales by its load` : pinnedText(name, replicas));
  },
};

function pinnedText(name: string, replicas: number): string {
  if (replicas === 0)
    return `${name} rests: callers get 503 at once until \`ringfence endpoint scale ${name} auto\` or another number`;
  return `${name} has ${replicas} ${replicas === 1 ? 'replica' : 'replicas'} until told otherwise`;
}
