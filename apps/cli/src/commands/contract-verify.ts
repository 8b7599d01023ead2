import { foldKeyring, judgeContract, type Keyring } from '@ringfence/keyring';
import type { ContractFile } from '@ringfence/protocol/federation';
import { CliError } from '../cli-error.ts';
import type { Command, CommandContext } from '../command.ts';
import { digestOf, faultLines, standingLines } from '../contract/contract-lines.ts';
import { contractAt } from '../contract/contract-path.ts';
import { checkedKeyring } from '../home/checked-keyring.ts';
import { readProfile } from '../home/profile.ts';
import { withSession } from '../session.ts';

export const command: Command = {
  usage: 'FILE [--offline]',
  summary:
    'who has signed a contract, who is missing, and whether all of it holds; --offline by the keyrings that are in the file',
  options: { offline: { type: 'boolean' } },
  words: [1, 1],
  async run(context, [path = ''], flags) {
    const { terminal, clock } = context;
    const file = contractAt(path);
    const keyring =
      flags['offline'] === true
        ? keyringIn(file, context)
        : await withSession(context, (session) => checkedKeyring(context, session));
    const { decision, standings } = judgeContract(file, { keyring, now: clock.now() });
    const faults = decision.allow ? [] : decision.reasons;
    const parties = standings.map(({ party: { org, name }, signers }) => ({ org, name, signers }));
    terminal.value({ contract: digestOf(file), holds: decision.allow, parties, faults });
    terminal.line(`SHA-256 ${digestOf(file)}`);
    for (const line of standingLines(standings)) terminal.line(line);
    const names = new Map<string, string>(parties.map(({ org, name }) => [org, name]));
    for (const line of faultLines(faults, names)) terminal.line(`  ! ${line}`);
    if (!decision.allow)
      throw new CliError('check-failed', 'the contract does not hold', {
        next: 'see the reasons above, and docs/federation.md',
      });
    terminal.line('it holds: every party has signed');
  },
};

/** This organisation's keyring as the file has it, from the root that this device knows: as old as the contract, perhaps. Throws CliError `not-trusted`, KeyringError. */
function keyringIn(file: ContractFile, { home }: CommandContext): Keyring {
  const { org, orgRoot } = readProfile(home);
  const own = file.keyrings.find((keyring) => keyring.org === org);
  if (own !== undefined) return foldKeyring(own.statements, orgRoot);
  throw new CliError('not-trusted', 'the file has no keyring of this organisation', {
    next: 'without --offline the custodian is asked for it',
  });
}
