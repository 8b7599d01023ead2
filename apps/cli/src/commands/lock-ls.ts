import type { Command } from '../command.ts';
import { LOCK_HEAD, lockCells } from '../locks/lock-cells.ts';
import { allLocks } from '../locks/lock-places.ts';
import { withSession } from '../session.ts';
import { tableOr } from '../terminal.ts';

export const command: Command = {
  usage: '',
  summary: 'who and what is cut off, at the custodian and at the control plane',
  options: {},
  words: [0, 0],
  async run(context) {
    const { locks, silent } = await withSession(context, allLocks);
    context.terminal.value({ locks, silent });
    context.terminal.line(tableOr('nobody is cut off', LOCK_HEAD, locks.map(lockCells)));
    for (const [place, code] of Object.entries(silent)) context.terminal.line(`the ${place} did not answer: ${code}`);
  },
};
