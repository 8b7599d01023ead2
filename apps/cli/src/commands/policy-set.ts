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
  usage: '[FILE] [--out SIGNED] [--signed SIGNED]',
  summary: 'sign what the organisation forbids its jobs, in Cedar; with several officers two sign (officers)',
  options: { out: { type: 'string' }, signed: { type: 'string' } },
  words: [0, 1],
  async run(context, [path], flags) {
    const signed = text(flags, 'signed');
    if ((path === undefined) === (signed === undefined))
      throw new CliError('usage', 'name a Cedar file, or what another officer signed with --signed', {
        next: 'ringfence policy set FILE',
      });
    await withSession(context, async (session) => {
      if (signed === undefined) await setText(context, session, { path: path ?? '', flags });
      else await handIn(context, session, alsoSigned(session.keys.sign, signed));
    });
  },
};

async function setText(
  context: CommandContext,
  session: Session,
  { path, flags }: { readonly path: string; readonly flags: Flags },
): Promise<void> {
  const cedar = readTextFile(path, 'name a Cedar file: docs/policy.md has one');
  const faults = await session.custodian.policyFaults(cedar);
  if (faults.length > 0)
    throw new CliError('check-failed', `${path} is no policy:\n  ${faults.join('\n  ')}`, {
      next: 'correct it: docs/policy.md',
    });
  const body: PolicyStatement = {
    v: 1,
    org: session.profile.org,
    salt: toBase64Url(context.rng.bytes(32)),
    seq: ((await currentPolicy(session))?.statement.seq ?? 0) + 1,
    at: context.clock.now(),
    cedar,
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
  await session.custodian.setPolicy(envelope);
  terminal.value({ set: statement });
  terminal.line(
    `the policy is set, version ${statement.seq}; the custodian asks it at each launch and start from now on`,
  );
}
