import type { Command } from '../command.ts';
import { unpinCommand } from '../marketplace/unpin-command.ts';

export const command: Command = unpinCommand('remove-evidence-issuer', {
  summary: 'take away who issues evidence; what it issued counts no more (officers)',
  after: 'issues no evidence any more, and what it issued does not count',
});
