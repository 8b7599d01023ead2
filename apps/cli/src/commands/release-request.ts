import { CliError } from '../cli-error.ts';
import { text, type Command, type Flags } from '../command.ts';
import { whichJob } from '../job/which-job.ts';
import { RECIPIENT_OPTIONS, recipientsOf, validityOf } from '../release/recipients-of.ts';
import { withSession, type Session } from '../session.ts';

export const command: Command = {
  usage:
    '(NAME [--version N] | --logs JOB [--attempt N]) --purpose PURPOSE [--for DEVICE]… [--to-org ORG] [--valid 30d]',
  summary: 'ask the owners of confidential data to release what was made of it',
  options: {
    version: { type: 'string' },
    logs: { type: 'string' },
    attempt: { type: 'string' },
    purpose: { type: 'string' },
    ...RECIPIENT_OPTIONS,
  },
  words: [0, 1],
  async run(context, [name], flags) {
    const purpose = text(flags, 'purpose');
    if ((name === undefined) === (text(flags, 'logs') === undefined) || purpose === undefined)
      throw new CliError('usage', 'a request names an artifact or a log, and what it is for', {
        next: `ringfence release request ${this.usage}`,
      });
    const row = await withSession(context, async (session) => {
      const { profile, custodian } = session;
      const of = [await wantedOf(session, name, flags)];
      const recipients = recipientsOf(flags, profile.org, profile.device);
      return custodian.release.request({ of, purpose, recipients, validMs: validityOf(flags, '30d') });
    });
    const { terminal } = context;
    terminal.value(row);
    terminal.line(`asked as ${row.request}`);
    for (const { name: source, owners } of row.sources)
      terminal.line(`  ${source ?? 'a job'} is for ${owners.join(' or ') || 'nobody'} to release`);
    terminal.line(`an owner runs \`ringfence release review ${row.request}\`, then approve or refuse`);
  },
};

async function wantedOf(session: Session, name: string | undefined, flags: Flags) {
  if (name !== undefined) {
    const version = numberOf(flags, 'version');
    return { artifact: name, ...(version === undefined ? {} : { version }) };
  }
  const attempt = numberOf(flags, 'attempt');
  const logs = await whichJob(session, text(flags, 'logs') ?? '');
  return { logs, ...(attempt === undefined ? {} : { attempt }) };
}

function numberOf(flags: Flags, flag: string): number | undefined {
  const word = text(flags, flag);
  if (word === undefined || /^[1-9]\d{0,5}$/.test(word)) return word === undefined ? undefined : Number(word);
  throw new CliError('usage', `--${flag} takes a number`, { next: `such as --${flag} 1` });
}
