import type { Command } from '../command.ts';
import { unpinCommand } from '../marketplace/unpin-command.ts';

export const command: Command = unpinCommand('remove-admitter', {
  summary: 'take away who admits providers; what it admitted starts nothing from now on (officers)',
  after: 'admits nobody any more, and what it admitted starts nothing',
});
