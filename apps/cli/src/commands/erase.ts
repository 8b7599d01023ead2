import { resolve } from 'node:path';
import { canonicalJson, isId } from '@ringfence/base';
import { CliError } from '../cli-error.ts';
import { text, type Command, type CommandContext, type Flags } from '../command.ts';
import { momentText } from '../placement/moment-text.ts';
import { writeNewFile } from '../new-file.ts';
import { withSession } from '../session.ts';
import { tableOr } from '../terminal.ts';

export const command: Command = {
  usage: '[NAME [--derived] [--yes [--out FILE]]] [--member MEMBER --yes [--out FILE]]',
  summary:
    'erase a dataset or output for good, with a signed report; without --yes what would go; without a name the reports',
  options: {
    derived: { type: 'boolean' },
    yes: { type: 'boolean' },
    out: { type: 'string' },
    member: { type: 'string' },
  },
  words: [0, 1],
  async run(context, [name], flags) {
    const member = text(flags, 'member');
    if (member !== undefined) return eraseMember(context, member, { name, flags });
    if (name === undefined) return list(context);
    const [derived, dryRun, out] = [flags['derived'] === true, flags['yes'] !== true, text(flags, 'out')];
    if (dryRun && out !== undefined)
      throw new CliError('usage', 'a report is written of what is done', { next: 'add --yes' });
    const { terminal } = context;
    const answer = await withSession(context, ({ custodian }) => custodian.data.erase({ name, derived, dryRun }));
    if (answer.done !== undefined && out !== undefined) writeNewFile(resolve(out), `${canonicalJson(answer.done)}\n`);
    terminal.value(answer);
    const { goes, stays } = answer;
    for (const version of goes.versions)
      terminal.line(`${dryRun ? 'would go' : 'erased'}: ${version.name} version ${version.version}`);
    if (goes.logs > 0) terminal.line(`${dryRun ? 'would go' : 'erased'}: ${goes.logs} kept logs`);
    for (const version of stays.versions)
      terminal.line(`stays, though made of it: ${version.name} version ${version.version}`);
    if (stays.logs > 0) terminal.line(`stay, though made of it: ${stays.logs} kept logs`);
    if (dryRun)
      terminal.line(
        `nothing is erased yet: add --yes${stays.versions.length + stays.logs > 0 ? ', and --derived for what was made of it' : ''}`,
      );
  },
};

/** What says whose a member's random id was. */
async function eraseMember(
  context: CommandContext,
  member: string,
  { name, flags }: { name: string | undefined; flags: Flags },
): Promise<void> {
  if (!isId('member', member) || name !== undefined)
    throw new CliError('usage', '--member takes the id of one member, and no name beside it', {
      next: 'see `ringfence device ls`',
    });
  if (flags['yes'] !== true)
    throw new CliError('usage', 'nothing is erased yet: this cannot be undone', { next: 'add --yes' });
  const done = await withSession(context, ({ custodian }) => custodian.data.eraseMember(member));
  const out = text(flags, 'out');
  if (out !== undefined) writeNewFile(resolve(out), `${canonicalJson(done)}\n`);
  context.terminal.value(done);
  context.terminal.line(`erased: what says whose ${member} was`);
}

async function list(context: CommandContext): Promise<void> {
  const erasures = await withSession(context, ({ custodian }) => custodian.data.erasures());
  context.terminal.value({ erasures });
  const rows = erasures.map(({ at, digest, versions }) => [momentText(at), String(versions.length), digest]);
  context.terminal.line(tableOr('nothing was erased', ['AT', 'VERSIONS', 'REPORT'], rows));
}
