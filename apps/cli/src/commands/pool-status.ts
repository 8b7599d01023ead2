import type { Command } from '../command.ts';
import { namesOfAgents } from '../placement/names-of-agents.ts';
import { poolLines } from '../pool/pool-lines.ts';
import { withSession } from '../session.ts';

export const command: Command = {
  usage: '',
  summary:
    'whether jobs may leave home and why, what the budget holds, and which machines are in use or on their way back',
  options: {},
  words: [0, 0],
  async run(context) {
    await withSession(context, async (session) => {
      const view = await session.controlPlane.pool();
      context.terminal.value(view);
      if (!context.terminal.json) context.terminal.line(poolLines(view, await namesOfAgents(session)).join('\n'));
    });
  },
};
