import type { Command } from '../command.ts';
import { readTextFile } from '../job/read-text-file.ts';
import { askedText, decidedText, ROLE_CELLS } from '../rules/access-grid.ts';
import { withSession } from '../session.ts';

export const command: Command = {
  usage: 'FILE [FILE]',
  summary: 'which cells of role × action own roles would change, from what is signed or from the first file',
  options: {},
  words: [1, 2],
  async run(context, paths) {
    const texts = paths.map((path) => readTextFile(path, 'name a Cedar file: docs/roles.md has one'));
    const [after, before] = texts.length === 1 ? [texts[0]] : [texts[1], texts[0]];
    const [was, is] = await withSession(context, async ({ custodian }) => [
      await custodian.access.ask(ROLE_CELLS, before),
      await custodian.access.ask(ROLE_CELLS, after),
    ]);
    const changed = ROLE_CELLS.flatMap((question, index) => {
      const [old, now] = [was?.[index], is?.[index]];
      return old === undefined || now === undefined || old.allow === now.allow ? [] : [{ question, was: old, is: now }];
    });
    context.terminal.value({ changed });
    for (const { question, is: now } of changed)
      context.terminal.line(`${now.allow ? '+' : '-'} ${askedText(question)}: ${decidedText(now)}`);
    context.terminal.line(
      changed.length === 0
        ? 'no role may more or less by itself; what is said of single devices and things, `policy test` shows'
        : `${changed.length} cells of role × action change`,
    );
  },
};
