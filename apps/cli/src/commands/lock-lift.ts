import type { Command } from '../command.ts';
import { agreedLine, agreeOn } from '../locks/lock-places.ts';
import { withSession } from '../session.ts';

export const command: Command = {
  usage: 'LOCK',
  summary: 'agree that a lock ends; it takes two officers, or one who waits',
  options: {},
  words: [1, 1],
  async run(context, [lock = '']) {
    const decided = await withSession(context, (session) => agreeOn(session, lock, 'lift'));
    context.terminal.value(decided);
    context.terminal.line(agreedLine(decided, 'is lifted'));
  },
};
