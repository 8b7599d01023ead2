import { ask, Refused } from './api.ts';
import { dropKey, freshKey, keepKey, keptKey } from './kept-key.ts';
import { signWithPasskey, type UseAsked } from './passkey.ts';

interface SignedIn {
  readonly session: string;
}

/** Signs in at `path` with a fresh key of this browser, which the session is then bound to. */
async function signIn(path: string, body: (publicKey: string) => Promise<object> | object): Promise<void> {
  const key = await freshKey();
  const { session } = await ask<SignedIn>('POST', path, { ...(await body(key.publicKey)), publicKey: key.publicKey });
  await keepKey({ ...key, session });
}

/** Signs in with whichever passkey of this control plane the person picks. */
export function signInByPasskey(): Promise<void> {
  return signIn('/v1/sign-in/passkey', async (publicKey) => {
    const { ceremony, ...asked } = await ask<UseAsked & { ceremony: string }>('POST', '/v1/sign-in/passkey/begin', {
      publicKey,
    });
    return { ceremony, assertion: await signWithPasskey(asked) };
  });
}

/** Signs in by name, password and, where one is given, the code of an authenticator or a recovery code. */
export function signInByPassword(name: string, password: string, code: string): Promise<void> {
  const kind = /^[0-9 ]*$/.test(code) ? 'totp' : 'recovery-code';
  return signIn('/v1/sign-in/password', () => ({
    signInName: name,
    password,
    ...(code === '' ? {} : { second: { kind, code } }),
  }));
}

/** Accepts an invitation. */
export function acceptInvitation(secret: string): Promise<void> {
  return signIn('/v1/sign-in/invitation', () => ({ secret }));
}

/** Ends the session here and at the control plane. */
export async function signOut(): Promise<void> {
  try {
    await ask('POST', '/v1/sign-out', {});
  } finally {
    await dropKey();
  }
}

/** What a sign-on at a provider is for, and what its word is taken for; kept over the way there and back. */
interface SignOn {
  readonly purpose: 'sign-in' | 'step-up' | 'link';
  readonly assures: 1 | 2;
}
const KEPT = 'ringfence-sign-on';

/** Goes to an identity provider. */
export async function goToProvider(provider: string, purpose: SignOn['purpose']): Promise<void> {
  const isSignIn = purpose === 'sign-in';
  const path = isSignIn ? '/v1/sign-in/provider/begin' : '/v1/account/provider/begin';
  const body = isSignIn ? { provider, publicKey: (await freshKey()).publicKey } : { provider, purpose };
  const { url, assures } = await ask<{ url: string; assures: 1 | 2 }>('POST', path, body);
  sessionStorage.setItem(KEPT, JSON.stringify({ purpose, assures } satisfies SignOn));
  location.assign(url);
}

/** Whether the page was opened by a provider that sends a browser back. */
export function isBack(): boolean {
  return location.pathname === '/account/signed-on';
}

/** Takes the page back to its own address, so that nothing of the way stays in it: what the provider sent. */
export function takeSearch(): string {
  const { search } = location;
  history.replaceState(null, '', '/account');
  return search;
}

/** What this browser went to the provider for. */
export function signOnBegun(): SignOn {
  const kept = sessionStorage.getItem(KEPT);
  return kept === null ? { purpose: 'sign-in', assures: 2 } : (JSON.parse(kept) as SignOn);
}

/** Ends a sign-on with what the provider sent, and with a second factor where one is given. */
export async function endSignOn(search: string, code: string): Promise<void> {
  const { purpose } = signOnBegun();
  sessionStorage.removeItem(KEPT);
  if (purpose !== 'sign-in') {
    await ask('POST', purpose === 'link' ? '/v1/account/provider/link' : '/v1/account/provider', { search });
    return;
  }
  const key = await keptKey();
  if (key === undefined) throw new Refused('not-authenticated', 'this browser began no sign-in', undefined);
  const second = code === '' ? {} : { second: { kind: 'totp', code } };
  const body = { search, publicKey: key.publicKey, ...second };
  const { session } = await ask<SignedIn>('POST', '/v1/sign-in/provider', body);
  await keepKey({ ...key, session });
}
