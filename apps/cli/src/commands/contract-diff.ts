import { contractChanges } from '@ringfence/keyring';
import type { Command } from '../command.ts';
import { contractAt } from '../contract/contract-path.ts';

export const command: Command = {
  usage: 'OLD NEW',
  summary: 'where two contracts differ, value by value; what differs at all needs new signatures',
  options: {},
  words: [2, 2],
  async run({ terminal }, [old = '', young = '']) {
    const changes = contractChanges(contractAt(old), contractAt(young));
    const code = changes.some(({ path }) => path === 'code.digest' || path.startsWith('code.'));
    terminal.value({ same: changes.length === 0, code, changes });
    if (changes.length === 0) return terminal.line('the same contract: signatures of one count for the other');
    for (const { path, before, after } of changes) terminal.line(`${path}: ${before ?? '-'} → ${after ?? '-'}`);
    terminal.line(`another contract${code ? ', with other code' : ''}: every party has to sign it anew`);
  },
};
