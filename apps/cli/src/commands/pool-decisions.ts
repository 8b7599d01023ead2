import { CliError } from '../cli-error.ts';
import type { Command } from '../command.ts';
import { checkedKeyring } from '../home/checked-keyring.ts';
import { namesOfAgents } from '../placement/names-of-agents.ts';
import { decisionLines, deletionLines } from '../pool/decision-lines.ts';
import { verifyDecisions, verifyDeletions } from '../pool/verify-decisions.ts';
import { withSession } from '../session.ts';

export const command: Command = {
  usage: '',
  summary:
    'the signed decisions about leaving home and coming back with what decided each, and signed deletions, verified',
  options: {},
  words: [0, 0],
  async run(context) {
    const { terminal, clock } = context;
    const unverified = await withSession(context, async (session) => {
      const { controlPlane, profile } = session;
      const [found, { keys }, keyring] = await Promise.all([
        controlPlane.poolDecisions(),
        controlPlane.about(),
        checkedKeyring(context, session),
      ]);
      const judge = { pin: profile.controlPlane, keys, keyring, now: clock.now() };
      const decisions = verifyDecisions(found, judge);
      const deletions = verifyDeletions(found, decisions, judge);
      terminal.value({ decisions, deletions });
      if (!terminal.json) {
        const nameOf = await namesOfAgents(session);
        if (decisions.length === 0) terminal.line('nothing was decided yet');
        for (const decision of decisions) terminal.line(decisionLines(decision, nameOf).join('\n'));
        for (const deletion of deletions) terminal.line(deletionLines(deletion, nameOf).join('\n'));
      }
      return [...decisions, ...deletions].filter(({ verified }) => !verified).length;
    });
    if (unverified > 0)
      throw new CliError('check-failed', `${unverified} of them are not signed by who should have signed them`, {
        next: 'those from before the control plane changed its keys cannot be verified here; see its ledger',
      });
  },
};
