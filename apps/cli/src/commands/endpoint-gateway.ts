import { isId } from '@ringfence/base';
import { CliError } from '../cli-error.ts';
import type { Command } from '../command.ts';
import { wasStartedAsGateway } from '../endpoint/agents-word.ts';
import { withSession, type Session } from '../session.ts';

export const command: Command = {
  usage: 'add AGENT | rm AGENT',
  summary: 'let an agent that was started with --gateway serve callers, or no longer',
  options: {},
  words: [2, 2],
  async run(context, [verb, word = '']) {
    if (verb !== 'add' && verb !== 'rm')
      throw new CliError('usage', 'a gateway is added or removed', {
        next: `ringfence endpoint gateway ${this.usage}`,
      });
    const allow = verb === 'add';
    const gateways = await withSession(context, async (session) => {
      const agent = await agentCalled(session, word);
      if (allow && (await wasStartedAsGateway(context, session, agent)) === false)
        throw new CliError('no-gateway', `${word} was not started with --gateway: it would turn callers away`, {
          next: 'start it as `ringfence-agent run --state DIR --gateway`, then add it again',
        });
      return session.custodian.allowGateway(agent, allow);
    });
    context.terminal.value({ gateways });
    context.terminal.line(allow ? `${word} may be a gateway` : `${word} is no gateway any more`);
  },
};

async function agentCalled({ custodian }: Session, word: string) {
  if (isId('agent', word)) return word;
  const found = (await custodian.agents()).find(({ name, removed }) => name === word && !removed);
  if (found === undefined)
    throw new CliError('not-found', 'there is no such agent', { next: 'see `ringfence agent ls`' });
  return found.agent;
}
