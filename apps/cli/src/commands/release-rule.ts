import { CliError } from '../cli-error.ts';
import type { Command } from '../command.ts';
import { addStandingRule, RULE_OPTIONS } from '../release/add-standing-rule.ts';
import { endReleaseWord } from '../release/end-words.ts';
import { ruleLine } from '../release/release-lines.ts';
import { withSession, type Session } from '../session.ts';

export const command: Command = {
  usage:
    '(add DATASET | add --job JOB) --allow KIND[,KIND]… [--purpose PURPOSE]… [--for DEVICE]… [--to-org ORG] [--most-bytes 10MB] [--most-openings N] [--valid 90d] | ls | end RULE',
  summary: 'standing rules of data’s owners: what may be opened of whatever is made of a dataset, or by one job',
  options: RULE_OPTIONS,
  words: [1, 2],
  async run(context, [verb, word], flags) {
    const { terminal } = context;
    await withSession(context, async (session) => {
      if (verb === 'add') await addStandingRule(context, session, word, flags);
      else if (verb === 'end' && word !== undefined)
        await endReleaseWord(context, session, await ruleNamed(session, word));
      else if (verb !== 'ls' || word !== undefined)
        throw new CliError('usage', 'rules are added, listed or ended', {
          next: `ringfence release rule ${this.usage}`,
        });
      const { rules } = await session.custodian.release.list();
      terminal.value({ rules });
      for (const rule of rules) terminal.line(ruleLine(rule, session.profile.org));
      if (rules.length === 0) terminal.line('no rules yet: `ringfence release rule add DATASET --allow logs,metrics`');
    });
  },
};

async function ruleNamed({ custodian }: Session, word: string) {
  const { rules } = await custodian.release.list();
  const named = rules.filter((rule) => word.length >= 8 && rule.word.startsWith(word));
  const [rule] = named;
  if (rule !== undefined && named.length === 1) return rule.word;
  throw new CliError('not-found', 'there is no such rule', { next: 'see `ringfence release rule ls`' });
}
