import { CliError } from '../cli-error.ts';
import type { Command } from '../command.ts';
import type { Finding } from '../doctor/finding.ts';
import { warn } from '../doctor/finding.ts';
import { machineFindings } from '../doctor/machine.ts';
import { organisationFindings } from '../doctor/organisation.ts';
import { hasProfile } from '../home/profile.ts';
import { withSession } from '../session.ts';

const SIGN: Readonly<Record<Finding['verdict'], string>> = { good: '✓', warn: '!', bad: '✗' };

export const command: Command = {
  usage: '',
  summary: 'what is not right yet, on this machine and in the organisation, and what to do',
  options: {},
  words: [0, 0],
  async run(context) {
    const findings = machineFindings();
    if (hasProfile(context.home))
      findings.push(...(await withSession(context, (session) => organisationFindings(context, session))));
    else findings.push(warn('profile', `${context.home} has none`, 'ringfence org init, or set RINGFENCE_HOME'));
    context.terminal.value({ findings });
    for (const { check, verdict, detail, remedy } of findings) {
      context.terminal.line(`${SIGN[verdict]} ${check}: ${detail}`);
      if (remedy !== undefined) context.terminal.line(`    ${remedy}`);
    }
    const count = findings.filter(({ verdict }) => verdict === 'bad').length;
    if (count > 0)
      throw new CliError('check-failed', `${count} things must be mended`, { next: 'they are marked ✗ above' });
  },
};
