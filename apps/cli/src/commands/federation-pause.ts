import type { Command } from '../command.ts';
import { changeRounds } from '../federation/change-rounds.ts';

export const command: Command = {
  usage: 'CONTRACT',
  summary: 'let no round of a federation begin for now; one under way goes on to its end',
  options: {},
  words: [1, 1],
  run: changeRounds('pause', 'no round begins'),
};
