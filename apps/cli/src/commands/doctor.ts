import { CliError } from '../cli-error.ts';
import { homedir } from 'node:os';
import { text, texts, type Command, type CommandContext, type Flags } from '../command.ts';
import { forProduction, warn, type Finding } from '../doctor/finding.ts';
import { machineFindings } from '../doctor/machine.ts';
import { hasProfile } from '../home/profile.ts';

const SIGN: Readonly<Record<Finding['verdict'], string>> = { good: '✓', warn: '!', bad: '✗' };

export const command: Command = {
  usage:
    '[--production] [--preflight [--control-plane URL] [--relay URL] [--ca-file FILE] [--work DIR]] [--state DIR]…',
  summary: 'what is not right yet, on this machine and in the organisation, and what to do',
  options: {
    production: { type: 'boolean' },
    preflight: { type: 'boolean' },
    'control-plane': { type: 'string' },
    relay: { type: 'string' },
    'ca-file': { type: 'string' },
    work: { type: 'string' },
    state: { type: 'string', multiple: true },
  },
  words: [0, 0],
  async run(context, _, flags) {
    const found = [
      ...machineFindings(),
      // A machine that is to become an agent has no profile.
      ...(flags['preflight'] === true ? await machinePreflight(context, flags) : await profileFindings(context)),
      ...(await journalFindings(texts(flags, 'state'))),
    ];
    const findings = flags['production'] === true ? forProduction(found) : found;
    context.terminal.value({ ok: findings.every(({ verdict }) => verdict !== 'bad'), findings });
    for (const { check, verdict, detail, remedy } of findings) {
      context.terminal.line(`${SIGN[verdict]} ${check}: ${detail}`);
      if (remedy !== undefined) context.terminal.line(`    ${remedy}`);
    }
    const count = findings.filter(({ verdict }) => verdict === 'bad').length;
    if (count > 0)
      throw new CliError('check-failed', `${count} ${count === 1 ? 'thing' : 'things'} must be mended`, {
        next: 'they are marked ✗ above',
      });
  },
};

async function machinePreflight({ clock }: CommandContext, flags: Flags): Promise<Finding[]> {
  const { preflightFindings } = await import('../doctor/preflight.ts');
  const work = text(flags, 'work') ?? (process.getuid?.() === 0 ? '/var/lib/ringfence' : homedir());
  const [controlPlane, relay, caFile] = ['control-plane', 'relay', 'ca-file'].map((flag) => text(flags, flag));
  return preflightFindings({ controlPlane, relay, caFile, work, clock });
}

async function profileFindings(context: CommandContext): Promise<Finding[]> {
  if (!hasProfile(context.home))
    return [warn('profile', `${context.home} has none`, 'ringfence org init, or set RINGFENCE_HOME')];
  const [{ homeFindings }, { organisationFindings }, { withSession }] = await Promise.all([
    import('../doctor/own-files.ts'),
    import('../doctor/organisation.ts'),
    import('../session.ts'),
  ]);
  const own = homeFindings(context.home);
  return [...own, ...(await withSession(context, (session) => organisationFindings(context, session)))];
}

async function journalFindings(states: readonly string[]): Promise<Finding[]> {
  if (states.length === 0) return [];
  const { stateFindings } = await import('../doctor/own-files.ts');
  return states.flatMap((state) => stateFindings(state));
}
