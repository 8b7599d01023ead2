import { agentRemoval } from '@ringfence/protocol/payload';
import { CliError } from '../cli-error.ts';
import { text, type Command } from '../command.ts';
import { withSession } from '../session.ts';

export const command: Command = {
  usage: 'NAME|ID [--reason left|lost|compromised|cloned|replaced]',
  summary: 'remove a server from the keyring for ever; its links end at once',
  options: { reason: { type: 'string' } },
  words: [1, 1],
  async run(context, [which = ''], flags) {
    const reason = agentRemoval.shape.reason.safeParse(text(flags, 'reason') ?? 'left');
    if (!reason.success)
      throw new CliError('usage', 'the reason is unknown', { next: `ringfence agent remove ${this.usage}` });
    const agent = await withSession(context, async ({ custodian }) => {
      const found = (await custodian.agents()).find(
        ({ agent: id, name, removed }) => !removed && (id === which || name === which),
      );
      if (found === undefined)
        throw new CliError('not-found', 'there is no such server', { next: 'see `ringfence agent ls`' });
      await custodian.removeAgent(found.agent, { reason: reason.data });
      return found.agent;
    });
    context.terminal.value({ removed: agent });
    context.terminal.line(`removed ${which} (${agent})`);
  },
};
