import { toBase64Url } from '@ringfence/base';
import type { Envelope } from '@ringfence/crypto/sign';
import { signStatement } from '@ringfence/keyring';
import type { PolicyStatement } from '@ringfence/protocol/statements';
import { CliError } from '../cli-error.ts';
import { text, type Command, type CommandContext, type Flags } from '../command.ts';
import { readTextFile } from '../job/read-text-file.ts';
import { giveStatement } from '../marketplace/statement-file.ts';
import { alsoSigned, type SignedPolicy } from '../rules/also-signed.ts';
import { currentPolicy } from '../rules/current-policy.ts';
import { withSession, type Session } from '../session.ts';

export const command: Command = {
  usage: '[FILE] [--access FILE] [--out SIGNED] [--signed SIGNED]',
  summary:
    'sign what the organisation forbids its jobs, and its own roles, in Cedar; with several officers two sign (officers)',
  options: { access: { type: 'string' }, out: { type: 'string' }, signed: { type: 'string' } },
  words: [0, 1],
  async run(context, [path], flags) {
    const signed = text(flags, 'signed');
    const access = text(flags, 'access');
    if ((path === undefined && access === undefined) === (signed === undefined))
      throw new CliError('usage', 'name a Cedar file, or what another officer signed with --signed', {
        next: 'ringfence policy set FILE',
      });
    await withSession(context, async (session) => {
      if (signed === undefined) await setText(context, session, { path, access, flags });
      else await handIn(context, session, alsoSigned(session.keys.sign, signed));
    });
  },
};

/** Texts that a call names. */
interface TextFiles {
  readonly path: string | undefined;
  readonly access: string | undefined;
}

async function setText(
  context: CommandContext,
  session: Session,
  { path, access: accessPath, flags }: TextFiles & { readonly flags: Flags },
): Promise<void> {
  const current = (await currentPolicy(session))?.statement;
  // What is not named stays as it is.
  const cedar =
    path === undefined ? (current?.cedar ?? '') : readTextFile(path, 'name a Cedar file: docs/policy.md has one');
  const access =
    accessPath === undefined ? current?.access : readTextFile(accessPath, 'name a Cedar file: docs/roles.md has one');
  const faults = await session.custodian.rules.policyFaults(cedar, access);
  if (faults.length > 0)
    throw new CliError(
      'check-failed',
      `${[path, accessPath].filter((one) => one !== undefined).join(' and ')} is no policy:\n  ${faults.join('\n  ')}`,
      {
        next: 'correct it: docs/policy.md',
      },
    );
  const body: PolicyStatement = {
    v: 1,
    org: session.profile.org,
    salt: toBase64Url(context.rng.bytes(32)),
    seq: (current?.seq ?? 0) + 1,
    at: context.clock.now(),
    cedar,
    ...(access === undefined ? {} : { access }),
  };
  const sign = (): Envelope => signStatement('policy', body, [session.keys.sign]);
  if (text(flags, 'out') !== undefined) return giveStatement(context, flags, sign);
  return handIn(context, session, { statement: body, envelope: sign() });
}

async function handIn(
  { terminal }: CommandContext,
  session: Session,
  { statement, envelope }: SignedPolicy,
): Promise<void> {
  await session.custodian.rules.setPolicy(envelope);
  terminal.value({ set: statement });
  terminal.line(
    `the policy is set, version ${statement.seq}; the custodian asks it at each launch and start from now on`,
  );
}
