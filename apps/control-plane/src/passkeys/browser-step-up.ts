import { isId, toBase64Url, type CeremonyId, type DeviceId, type MemberId, type OrgId } from '@ringfence/base';
import type { Digest } from '@ringfence/crypto/sign';
import type { SignedChallenge } from '@ringfence/protocol/api';
import { openCeremony, type SpentCeremony } from '../ceremonies/ceremony.ts';
import { ControlPlaneError } from '../control-plane-error.ts';
import type { Asker, Caller, SessionCaller } from '../http/route.ts';
import type { ControlPlaneContext } from '../jobs/control-plane-context.ts';
import { browserDigest } from './browser-digest.ts';
import { passkeyRefused } from './enrol-passkey.ts';
import { relyingPartyOf } from './relying-party.ts';
import { beginStepUp, credentialsOf, stepUpByPasskey } from './use-passkey.ts';

/** What a device was handed, and hands on to a browser of its member in the address that it opens. */
export interface BrowserStepUp {
  readonly ceremony: CeremonyId;
  readonly secret: string;
}

/** Lets a device, which has no passkey, ask its member for one in a browser on the same machine: the address to open. Throws ControlPlaneError `bad-request`. */
export async function askInBrowser(context: ControlPlaneContext, asker: Asker, forDigest?: Digest) {
  if (!('device' in asker))
    throw new ControlPlaneError('bad-request', 'this browser can step up itself', { next: 'see /account' });
  const { url } = context.ownUrl;
  const secret = toBase64Url(context.rng.bytes(32));
  const stepping = { asker, member: asker.member ?? null, browser: secret };
  const { ceremony, expiresAt } = await beginStepUp(context, relyingPartyOf(url), stepping, forDigest);
  return { ceremony, secret, url: `${new URL(url).origin}/account#step-up=${ceremony}.${secret}`, expires: expiresAt };
}

/** Which device asks, and how the browser is to ask for a passkey. Throws ControlPlaneError `not-authenticated`. */
export async function lookAtDevice(context: ControlPlaneContext, caller: SessionCaller, asked: BrowserStepUp) {
  const { device, open } = await deviceOf(context, caller, asked);
  const { rpId } = relyingPartyOf(context.ownUrl.url);
  const allow = await credentialsOf(context, caller.org, caller.member);
  return { ceremony: open.ceremony, challenge: open.challenge, rpId, allow, device };
}

/**
 * Gives the passkey of the member in this browser to the device that asked, which is theirs from then on. Throws ControlPlaneError
 * `not-authenticated` where it is another member's, or of another organisation.
 */
export async function stepUpDevice(
  context: ControlPlaneContext,
  caller: SessionCaller,
  { assertion, ...asked }: BrowserStepUp & { readonly assertion: SignedChallenge },
): Promise<void> {
  const { device } = await deviceOf(context, caller, asked);
  const asker = await callerOf(context, caller.org, device);
  const stepping = { asker, member: caller.member, browser: asked.secret };
  await stepUpByPasskey(context, relyingPartyOf(context.ownUrl.url), stepping, { ceremony: asked.ceremony, assertion });
}

async function deviceOf(
  context: ControlPlaneContext,
  { org, member }: SessionCaller,
  { ceremony, secret }: BrowserStepUp,
): Promise<{ readonly device: DeviceId; readonly open: SpentCeremony }> {
  const open = await openCeremony(context, { ceremony, kind: 'passkey-step-up', browser: browserDigest(secret) });
  const device = open?.holder ?? '';
  const isTheirs = open?.org === org && isMembers(open.member, member);
  if (open === undefined || !isTheirs || !isId('device', device)) throw passkeyRefused();
  return { device, open };
}

const isMembers = (known: MemberId | null, member: MemberId): boolean => known === null || known === member;

/** A device of the organisation that was not removed, as if it had signed; only whose it is counts here. */
async function callerOf({ store }: ControlPlaneContext, org: OrgId, device: DeviceId): Promise<Caller> {
  const row = await store.withOrg(org, (tx) =>
    tx
      .selectFrom('party')
      .innerJoin('organisation', 'organisation.org', 'party.org')
      .select(['sign_key', 'enrolment_key'])
      .where('id', '=', device)
      .where('role', '=', 'device')
      .where('removed', '=', false)
      .where('locked', 'is', null)
      .executeTakeFirst(),
  );
  if (row === undefined) throw passkeyRefused();
  return { device, org, roles: [], keys: { device: row.sign_key, enrolment: row.enrolment_key } };
}
