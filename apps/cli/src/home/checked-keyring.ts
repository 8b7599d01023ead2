import { checkHead, foldKeyring, headMark, headMaxAge, type Keyring } from '@ringfence/keyring';
import type { CommandContext } from '../command.ts';
import { CliError } from '../cli-error.ts';
import type { Session } from '../session.ts';
import { writeProfile } from './profile.ts';

/**
 * The organisation's keyring from the custodian, folded from the pinned root, with a fresh head that is not older than any seen before.
 * Throws CliError `not-trusted`.
 */
export async function checkedKeyring(
  { home, clock }: CommandContext,
  { profile, custodian }: Session,
): Promise<Keyring> {
  const { statements, head } = await custodian.keyring(-1);
  const keyring = foldKeyring(statements, profile.orgRoot);
  const decision = checkHead(keyring, head, { now: clock.now(), maxAge: headMaxAge('internal'), seen: profile.seen });
  if (!decision.allow)
    throw new CliError('not-trusted', `the keyring’s head is not good: ${decision.reasons.join(', ')}`, {
      next: 'check both machines’ clocks; if they are right, ask an officer what the custodian’s keyring says',
    });
  const seen = headMark(decision.head);
  if (seen.seq !== profile.seen?.seq || seen.epoch !== profile.seen.epoch) writeProfile(home, { ...profile, seen });
  return keyring;
}
