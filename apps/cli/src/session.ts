import { ControlPlaneClient } from '@ringfence/client/api';
import { CustodianClient } from '@ringfence/client/custodian';
import { storedLinkIdentity, type LinkIdentity } from '@ringfence/client/payload-link';
import { tellNotices } from './account/told-notices.ts';
import type { CommandContext } from './command.ts';
import { createLink } from './home/link.ts';
import { sayingWhere } from './home/saying-where.ts';
import { outerSettings } from './home/outer-settings.ts';
import { readDeviceKeys, readProfile, type DeviceKeys, type Profile } from './home/profile.ts';

/** Clients of both sides, as this device. */
export interface Session {
  readonly profile: Profile;
  readonly keys: DeviceKeys;
  readonly identity: LinkIdentity;
  readonly custodian: CustodianClient;
  readonly controlPlane: ControlPlaneClient;
  close(): Promise<void>;
}

/** Runs `use` with a session, tells what is new of the account, and closes the links, whatever happens. Throws CliError `no-profile`. */
export async function withSession<T>(context: CommandContext, use: (session: Session) => Promise<T>): Promise<T> {
  const session = openSession(context);
  try {
    const result = await use(session);
    await tellNotices(context, session);
    return result;
  } catch (error) {
    throw sayingWhere(error, session.profile);
  } finally {
    await session.close();
  }
}

function openSession({ home, clock, rng }: CommandContext): Session {
  const profile = readProfile(home);
  const keys = readDeviceKeys(home);
  const identity = storedLinkIdentity(keys.tls, keys.certificatePem);
  const custodian = new CustodianClient(createLink({ route: profile.custodian, identity, clock }));
  const { url, caPin } = profile.controlPlane;
  const controlPlane = new ControlPlaneClient({
    url,
    ...outerSettings(caPin),
    clock,
    rng,
    identity: { device: profile.device, key: keys.sign },
  });
  return {
    profile,
    keys,
    identity,
    custodian,
    controlPlane,
    close: async () => {
      custodian.close();
      await controlPlane.close();
    },
  };
}
