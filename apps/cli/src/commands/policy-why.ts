import { text, type Command } from '../command.ts';
import { readTextFile } from '../job/read-text-file.ts';
import { askedText, askerOf, decidedText } from '../rules/access-grid.ts';
import { withSession } from '../session.ts';

export const command: Command = {
  usage: 'DEVICE|ROLE[+ROLE] ACTION [RESOURCE] [--access FILE]',
  summary: 'whether a device, or whoever had these roles, may do something, and by which policies',
  options: { access: { type: 'string' } },
  words: [2, 3],
  async run(context, [who = '', action = '', resource], flags) {
    const file = text(flags, 'access');
    const access = file === undefined ? undefined : readTextFile(file, 'name a Cedar file: docs/roles.md has one');
    const question = { principal: askerOf(who), action, ...(resource === undefined ? {} : { resource }) };
    const [answer] = await withSession(context, ({ custodian }) => custodian.access.ask([question], access));
    if (answer === undefined) return;
    context.terminal.value({ question, answer });
    context.terminal.line(`${askedText(question)}: ${decidedText(answer)}`);
  },
};
