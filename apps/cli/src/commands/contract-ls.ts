import type { Command } from '../command.ts';
import { momentText } from '../placement/moment-text.ts';
import { withSession } from '../session.ts';
import { tableOr } from '../terminal.ts';

const SHOWN_DIGITS = 12;

export const command: Command = {
  usage: '',
  summary: 'the contracts that this organisation has signed, and where each stands',
  options: {},
  words: [0, 0],
  async run(context) {
    const { terminal } = context;
    const contracts = await withSession(context, ({ custodian }) => custodian.contracts.list());
    terminal.value({ contracts });
    const rows = contracts.map(({ name, state, contract, parties, notAfter }) => [
      name,
      state,
      `${parties.filter(({ signers }) => signers.length > 0).length} of ${parties.length}`,
      momentText(notAfter).slice(0, 10),
      contract.slice(0, SHOWN_DIGITS),
    ]);
    terminal.line(tableOr('no contracts', ['NAME', 'STATE', 'SIGNED', 'ENDS', 'CONTRACT'], rows));
  },
};
