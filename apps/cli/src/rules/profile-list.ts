import type { Envelope } from '@ringfence/crypto/sign';
import { openProfile, readStatement } from '@ringfence/keyring';
import type { ProfileStatement } from '@ringfence/protocol/statements';
import { CliError } from '../cli-error.ts';
import type { CommandContext } from '../command.ts';
import { checkedKeyring } from '../home/checked-keyring.ts';
import type { Session } from '../session.ts';

/** A profile’s newest version, and whether whoever signed it is an officer now. */
export interface ListedProfile {
  readonly statement: ProfileStatement;
  readonly counts: boolean;
}

/** Every profile that was ever set, removed ones included, by name. */
export async function listedProfiles(context: CommandContext, session: Session): Promise<ListedProfile[]> {
  const [keyring, profiles] = await Promise.all([checkedKeyring(context, session), session.custodian.rules.profiles()]);
  const now = context.clock.now();
  return profiles.map(({ statement }) => ({
    statement: claimed(statement),
    counts: openProfile(statement, { keyring, now }).allow,
  }));
}

/** The one called `name`, removed ones left out. Throws CliError `not-found`. */
export async function profileCalled(context: CommandContext, session: Session, name: string): Promise<ListedProfile> {
  const found = (await listedProfiles(context, session)).find(({ statement }) => statement.name === name);
  if (found !== undefined && found.statement.requirements !== null) return found;
  throw new CliError('not-found', 'there is no profile of this name', { next: 'see `ringfence profile ls`' });
}

/** The number that the next version of `name` has. */
export function nextVersion(profiles: readonly ListedProfile[], name: string): number {
  return (profiles.find(({ statement }) => statement.name === name)?.statement.seq ?? 0) + 1;
}

function claimed(envelope: Envelope): ProfileStatement {
  return readStatement('profile', envelope).claimed;
}
