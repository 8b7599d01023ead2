import { toBase64Url } from '@ringfence/base';
import { signStatement } from '@ringfence/keyring';
import type { ProfileStatement } from '@ringfence/protocol/statements';
import type { CommandContext } from '../command.ts';
import type { Session } from '../session.ts';
import { listedProfiles, nextVersion } from './profile-list.ts';

/** Signs the next version of a profile with this device’s key, which has to be an officer’s, and hands it in. */
export async function signProfile(
  context: CommandContext,
  session: Session,
  { name, requirements }: Pick<ProfileStatement, 'name' | 'requirements'>,
): Promise<ProfileStatement> {
  const { clock, rng } = context;
  const body: ProfileStatement = {
    v: 1,
    org: session.profile.org,
    salt: toBase64Url(rng.bytes(32)),
    seq: nextVersion(await listedProfiles(context, session), name),
    at: clock.now(),
    device: session.profile.device,
    name,
    requirements,
  };
  await session.custodian.rules.setProfile(signStatement('profile', body, [session.keys.sign]));
  return body;
}
