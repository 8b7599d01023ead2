import { checkHead, foldKeyring, headMark, headMaxAge, type HeadMark, type Keyring } from '@ringfence/keyring';
import type { CommandContext } from '../command.ts';
import { CliError } from '../cli-error.ts';
import type { Session } from '../session.ts';
import { writeProfile } from './profile.ts';

/** What {@link checkedHead} asks. */
type Asked = Pick<Session, 'profile'> & { readonly custodian: Pick<Session['custodian'], 'keyring'> };

/**
 * The organisation's keyring from the custodian, folded from the pinned root, with a fresh head that is not older than any seen before.
 * Throws CliError `not-trusted`.
 */
export async function checkedKeyring(context: CommandContext, session: Asked): Promise<Keyring> {
  return (await checkedHead(context, session)).keyring;
}

/** The {@link checkedKeyring} with its head's mark, which says the custodian's epoch. Throws CliError `not-trusted`. */
export async function checkedHead(
  { home, clock }: Pick<CommandContext, 'home' | 'clock'>,
  { profile, custodian }: Asked,
): Promise<{ readonly keyring: Keyring; readonly seen: HeadMark }> {
  const { statements, head } = await custodian.keyring(-1);
  const keyring = foldKeyring(statements, profile.orgRoot);
  const decision = checkHead(keyring, head, { now: clock.now(), maxAge: headMaxAge('internal'), seen: profile.seen });
  if (!decision.allow)
    throw new CliError('not-trusted', `the keyring’s head is not good: ${decision.reasons.join(', ')}`, {
      next: 'check both machines’ clocks; if they are right, ask an officer what the custodian’s keyring says',
    });
  const seen = headMark(decision.head);
  if (seen.seq !== profile.seen?.seq || seen.epoch !== profile.seen.epoch) writeProfile(home, { ...profile, seen });
  return { keyring, seen };
}
