import type { Command } from '../command.ts';
import { costLines } from '../pool/pool-lines.ts';
import { withSession } from '../session.ts';

export const command: Command = {
  usage: '',
  summary: 'what leaving home cost in this period, and saved against all-marketplace and all-private',
  options: {},
  words: [0, 0],
  async run({ terminal, ...context }) {
    await withSession({ terminal, ...context }, async ({ controlPlane }) => {
      const view = await controlPlane.pool();
      const { currency } = view.budget;
      terminal.value({ currency, ...view.costs });
      terminal.line(costLines(view).join('\n'));
    });
  },
};
