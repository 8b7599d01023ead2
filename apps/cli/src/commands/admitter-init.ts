import type { Command } from '../command.ts';
import { initCommand } from '../marketplace/init-command.ts';

export const command: Command = initCommand(
  'admitter-key',
  'make a key that admits providers into tiers, sealed to a passphrase; organisations pin what is printed',
);
