import { openPolicy } from '@ringfence/keyring';
import { formatDuration } from '@ringfence/base';
import type { Command } from '../command.ts';
import { currentPolicy } from '../rules/current-policy.ts';
import { checkedKeyring } from '../home/checked-keyring.ts';
import { withSession } from '../session.ts';

export const command: Command = {
  usage: '',
  summary: 'what the organisation forbids its jobs, as its officers signed it',
  options: {},
  words: [0, 0],
  async run(context) {
    const { terminal, clock } = context;
    await withSession(context, async (session) => {
      const current = await currentPolicy(session);
      if (current === undefined) {
        terminal.value({ policy: null });
        return terminal.line(
          'no policy: label, profile and job file alone decide. Officers set one with `ringfence policy set FILE`',
        );
      }
      const { envelope, statement } = current;
      const keyring = await checkedKeyring(context, session);
      const counts = openPolicy(envelope, { keyring, now: clock.now() }).allow;
      terminal.value({ policy: statement, counts });
      const signers = counts ? 'officers of now' : 'officers who are not all there any more; it stays in force';
      const ago = formatDuration(Math.max(0, clock.now() - statement.at));
      terminal.line(`// version ${statement.seq}, set ${ago} ago, signed by ${signers}\n${statement.cedar.trimEnd()}`);
      if (statement.access !== undefined && statement.access !== '')
        terminal.line(`// own roles and conditions\n${statement.access.trimEnd()}`);
    });
  },
};
