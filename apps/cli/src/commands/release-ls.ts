import type { Command } from '../command.ts';
import { requestLines, ruleLine } from '../release/release-lines.ts';
import { withSession } from '../session.ts';

export const command: Command = {
  usage: '',
  summary: 'what owners were asked to release, what they decided, and how often it was opened',
  options: {},
  words: [0, 0],
  async run(context) {
    const { terminal } = context;
    const { listed, org } = await withSession(context, async ({ custodian, profile }) => ({
      listed: await custodian.release.list(),
      org: profile.org,
    }));
    terminal.value(listed);
    for (const row of listed.requests) for (const line of requestLines(row, org)) terminal.line(line);
    for (const rule of listed.rules) terminal.line(ruleLine(rule, org));
    if (listed.requests.length + listed.rules.length === 0)
      terminal.line('nothing was asked for yet: `ringfence release request NAME --purpose PURPOSE`');
  },
};
