import { givenRoles } from '../account/given-roles.ts';
import { CliError } from '../cli-error.ts';
import { text, type Command, type Flags } from '../command.ts';
import { publicKeyOf } from '../marketplace/key-file.ts';
import { momentText } from '../placement/moment-text.ts';
import { withSession } from '../session.ts';

const DAYS = 90;

export const command: Command = {
  usage: '--role ROLE… (--issuer URL --audience WORD --subject WORD | --public-key KEY [--days DAYS])',
  summary: 'let a workload ask the control plane, by tokens of a federated issuer or by a key that ends',
  options: {
    role: { type: 'string', multiple: true },
    issuer: { type: 'string' },
    audience: { type: 'string' },
    subject: { type: 'string' },
    'public-key': { type: 'string' },
    days: { type: 'string' },
  },
  words: [0, 0],
  async run(context, _, flags) {
    const roles = givenRoles(flags, `ringfence service-account add ${this.usage}`);
    const proof = proofOf(flags, `ringfence service-account add ${this.usage}`);
    const added = await withSession(context, ({ controlPlane }) => controlPlane.addServiceAccount({ roles, ...proof }));
    context.terminal.value(added);
    context.terminal.line(added.account);
    if (added.key !== null && added.ends !== null)
      context.terminal.line(`its key signs requests as ${added.key} until ${momentText(added.ends)}`);
  },
};

function proofOf(flags: Flags, next: string) {
  const [issuer, audience, subject] = [text(flags, 'issuer'), text(flags, 'audience'), text(flags, 'subject')];
  const key = text(flags, 'public-key');
  if (key !== undefined && issuer === undefined && audience === undefined && subject === undefined)
    return { key: { publicKey: publicKeyOf(key), days: daysOf(text(flags, 'days')) } };
  if (key === undefined && issuer !== undefined && audience !== undefined && subject !== undefined)
    return { federation: { issuer, audience, subject } };
  throw new CliError('usage', 'an account is shown by --issuer, --audience and --subject, or by --public-key', {
    next,
  });
}

function daysOf(word: string | undefined): number {
  if (word === undefined) return DAYS;
  const days = /^[1-9][0-9]?$/.test(word) ? Number(word) : 0;
  if (days >= 1 && days <= DAYS) return days;
  throw new CliError('usage', '--days is 1 to 90', { next: 'a longer one is a federated issuer' });
}
