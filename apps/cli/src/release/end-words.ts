import type { Digest } from '@ringfence/crypto/sign';
import { signStatement } from '@ringfence/keyring';
import type { CommandContext } from '../command.ts';
import type { Session } from '../session.ts';

/** Signs that a release or a rule counts no more, and hands it in. */
export async function endReleaseWord(
  { clock }: CommandContext,
  { custodian, profile, keys }: Session,
  word: Digest,
): Promise<void> {
  const body = { v: 1, org: profile.org, device: profile.device, word, at: clock.now() } as const;
  await custodian.release.end(signStatement('release-end', body, [keys.sign]));
}
