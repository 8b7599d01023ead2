import type { Command } from '../command.ts';
import { withSession } from '../session.ts';
import { table } from '../terminal.ts';

export const command: Command = {
  usage: '',
  summary: 'members with their devices, and who has an authenticator at the custodian',
  options: {},
  words: [0, 0],
  async run(context) {
    await withSession(context, async ({ custodian }) => {
      const { mode, members } = await custodian.access.members();
      context.terminal.value({ mode, members });
      const cells = members.map(({ member, name, devices, officer, factors }) => [
        name ?? member,
        officer ? 'officer' : '',
        factors.join(' ') || '-',
        devices.join(' '),
      ]);
      context.terminal.line(table(['MEMBER', '', 'FACTORS', 'DEVICES'], cells));
      context.terminal.line(
        mode === 'factors'
          ? 'grave actions ask for a code: ringfence step-up'
          : 'device-only: no officer has an authenticator, so devices’ keys are all that is asked',
      );
    });
  },
};
