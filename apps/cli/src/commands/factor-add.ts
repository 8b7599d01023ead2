import { CliError } from '../cli-error.ts';
import type { Command } from '../command.ts';
import { withSession } from '../session.ts';

export const command: Command = {
  usage: 'totp',
  summary: 'begin an authenticator of yours at the custodian; its first code confirms it',
  options: {},
  words: [1, 1],
  async run(context, [kind]) {
    if (kind !== 'totp')
      throw new CliError('usage', 'the custodian takes authenticators', { next: 'ringfence factor add totp' });
    await withSession(context, async ({ custodian, profile }) => {
      const secret = await custodian.access.beginTotp();
      const label = encodeURIComponent(profile.name);
      const uri = `otpauth://totp/${label}?secret=${secret}&issuer=${label}&algorithm=SHA1&digits=6&period=30`;
      context.terminal.value({ secret, uri });
      context.terminal.line(`secret for the authenticator, shown this once: ${secret}\n${uri}`);
      context.terminal.note(
        'then: ringfence factor confirm (an officer’s first one makes grave actions ask for a code)',
      );
    });
  },
};
