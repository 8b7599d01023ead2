import type { Command } from '../command.ts';
import { changeRounds } from '../federation/change-rounds.ts';

export const command: Command = {
  usage: 'CONTRACT',
  summary: 'let rounds begin again',
  options: {},
  words: [1, 1],
  run: changeRounds('resume', 'rounds begin again'),
};
