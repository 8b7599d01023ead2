import { CliError } from '../cli-error.ts';
import { text, type Command } from '../command.ts';
import { readTextFile } from '../job/read-text-file.ts';
import { askedText, decidedText, readCases } from '../rules/access-grid.ts';
import { withSession } from '../session.ts';

export const command: Command = {
  usage: 'CASES [--access FILE]',
  summary: 'whether a file of cases (WHO ACTION [RESOURCE] yes|no) is decided as it says; nothing is set',
  options: { access: { type: 'string' } },
  words: [1, 1],
  async run(context, [path = ''], flags) {
    const file = text(flags, 'access');
    const access = file === undefined ? undefined : readTextFile(file, 'name a Cedar file: docs/roles.md has one');
    const cases = readCases(readTextFile(path, 'name a file of cases: lines such as `auditor job:read yes`'));
    if (cases.length === 0)
      throw new CliError('usage', `${path} has no case`, { next: 'write one: auditor job:read yes' });
    const questions = cases.map(({ question }) => question);
    const answers = await withSession(context, ({ custodian }) => custodian.access.ask(questions, access));
    const decided = cases.map(({ question, allow }, index) => ({ question, wanted: allow, answer: answers[index] }));
    context.terminal.value({ cases: decided });
    const wrong = decided.filter(({ wanted, answer }) => answer?.allow !== wanted);
    for (const { question, answer } of wrong)
      context.terminal.line(`${askedText(question)}: ${answer === undefined ? 'no answer' : decidedText(answer)}`);
    if (wrong.length > 0)
      throw new CliError('check-failed', `${wrong.length} of ${cases.length} cases are decided otherwise`, {
        next: 'correct the text, or the cases',
      });
    context.terminal.line(`${cases.length} cases are decided as ${path} says`);
  },
};
