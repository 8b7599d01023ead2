import type { Command } from '../command.ts';
import { initCommand } from '../marketplace/init-command.ts';

export const command: Command = initCommand(
  'issuer-key',
  'make a key that issues evidence, sealed to a passphrase; organisations pin what is printed',
);
