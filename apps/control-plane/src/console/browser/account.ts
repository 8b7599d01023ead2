import { ask } from './api.ts';
import { byId, empty, say, showOnly, showRows, showTerms } from './elements.ts';
import { createPasskey, signWithPasskey, type CreationAsked, type UseAsked } from './passkey.ts';
import { signOut } from './sign-in.ts';

interface Account {
  readonly member: string | null;
  readonly signInName: string | null;
  readonly session: string | null;
  readonly level: number;
  readonly mode: string;
  readonly roles: readonly { readonly role: string; readonly project?: string }[];
  readonly enrolled: readonly string[];
  readonly recoveryCodesLeft: number;
  readonly given: readonly { readonly kind: string; readonly at: number }[];
}

interface Passkey {
  readonly credential: string;
  readonly added: number;
  readonly used: number | null;
  readonly mayBeCopied: boolean;
  readonly suspended: boolean;
}

interface Session {
  readonly session: string;
  readonly since: number;
  readonly seen: number;
}

interface Notice {
  readonly at: number;
  readonly text: string;
  readonly about: { readonly until?: number | null };
}

/** When the control plane ends a session that nobody uses; the page then looks again, and shows nothing of it any more. */
const IDLE_MS = 30 * 60_000;
/** How many notices the page shows; `ringfence account notices` has the others. */
const SHOWN_NOTICES = 20;
let idle: ReturnType<typeof setTimeout> | undefined;

const timeOf = (moment: number): string =>
  new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' }).format(moment);
const listed = (words: readonly string[]): string => (words.length === 0 ? 'none' : words.join(', '));

/** Shows who is signed in and what they have; rejects where nobody is. */
export async function showAccount(): Promise<void> {
  const account = await ask<Account>('GET', '/v1/account');
  const { passkeys } = await ask<{ passkeys: readonly Passkey[] }>('GET', '/v1/account/passkeys');
  const { sessions } = await ask<{ sessions: readonly Session[] }>('GET', '/v1/account/sessions');
  const { notices } = await ask<{ notices: readonly Notice[] }>('GET', '/v1/notices');
  clearTimeout(idle);
  idle = setTimeout(() => location.reload(), IDLE_MS);
  showOnly('account');
  showTerms('standing', {
    member: account.member ?? 'nobody',
    'sign-in name': account.signInName ?? 'none',
    roles: listed(account.roles.map(({ role, project }) => (project === undefined ? role : `${role} in ${project}`))),
    level: String(account.level),
    given: listed(account.given.map(({ kind, at }) => `${kind} at ${timeOf(at)}`)),
    enrolled: listed(account.enrolled),
    'recovery codes': String(account.recoveryCodesLeft),
  });
  showRows('notices', notices.slice(0, SHOWN_NOTICES).map(noticeRow));
  showRows('passkeys', passkeys.map(passkeyRow));
  showRows(
    'sessions',
    sessions.map((session) => sessionRow(session, account.session)),
  );
}

/** Shows the ways in, and leaves nothing in the page of whoever was signed in. */
export function showSignedOut(): void {
  clearTimeout(idle);
  byId('codes').hidden = true;
  byId('confirm-totp').hidden = true;
  empty('account', 'standing', 'notices', 'passkeys', 'sessions', 'totp-secret', 'codes', 'device-id');
  showOnly('signed-out');
}

function noticeRow({ at, text, about: { until } }: Notice) {
  return { text: `${timeOf(at)}: ${text}${typeof until === 'number' ? ` (until ${timeOf(until)})` : ''}` };
}

function passkeyRow({ credential, added, used, mayBeCopied, suspended }: Passkey) {
  const traits = `${mayBeCopied ? 'may be copied' : 'bound to its machine'}${suspended ? ', suspended' : ''}`;
  const text = `added ${timeOf(added)}, used ${used === null ? 'never' : timeOf(used)}, ${traits}`;
  const run = async (): Promise<void> => {
    await ask('POST', '/v1/account/passkeys/remove', { credential });
    await showAccount();
    say('The passkey is gone.');
  };
  return { text, button: 'Remove', run };
}

function sessionRow({ session, since, seen }: Session, own: string | null) {
  const text = `${session}${session === own ? ' (this one)' : ''}, since ${timeOf(since)}, seen ${timeOf(seen)}`;
  const run = async (): Promise<void> => {
    if (session === own) {
      await signOut();
      showSignedOut();
      say('This session has ended.');
      return;
    }
    await ask('POST', `/v1/account/sessions/${session}/end`, {});
    await showAccount();
    say('The session has ended.');
  };
  return { text, button: 'End', run };
}

/** Ends every session of the member but this one. */
export async function endOthers(): Promise<void> {
  const { session: own } = await ask<Account>('GET', '/v1/account');
  const { sessions } = await ask<{ sessions: readonly Session[] }>('GET', '/v1/account/sessions');
  for (const { session } of sessions) if (session !== own) await ask('POST', `/v1/account/sessions/${session}/end`, {});
  await showAccount();
  say('All other sessions have ended.');
}

/** Adds a passkey of this machine or of a key that is plugged in. */
export async function addPasskey(): Promise<void> {
  const { ceremony, ...asked } = await ask<CreationAsked & { ceremony: string }>(
    'POST',
    '/v1/account/passkeys/begin',
    {},
  );
  await ask('POST', '/v1/account/passkeys', { ceremony, credential: await createPasskey(asked) });
  await showAccount();
  say('The passkey is yours.');
}

/** Gives a passkey to this session. */
export async function stepUpByPasskey(): Promise<void> {
  const { ceremony, ...asked } = await ask<UseAsked & { ceremony: string }>('POST', '/v1/step-up/passkey/begin', {});
  await ask('POST', '/v1/step-up/passkey', { ceremony, assertion: await signWithPasskey(asked) });
  await showAccount();
  say('You stepped up.');
}

/** Gives the code of an authenticator to this session. */
export async function stepUpByCode(code: string): Promise<void> {
  await ask('POST', '/v1/step-up', { factor: { kind: 'totp', code } });
  await showAccount();
  say('You stepped up.');
}

/** Begins an authenticator and shows its secret. */
export async function beginTotp(): Promise<void> {
  const { secret } = await ask<{ secret: string }>('POST', '/v1/account/totp', {});
  byId('totp-secret').textContent = secret;
  byId('confirm-totp').hidden = false;
  say('Enter the secret into your authenticator.');
}

/** Confirms it by its first code. */
export async function confirmTotp(code: string): Promise<void> {
  await ask('POST', '/v1/account/totp/confirm', { code });
  byId('totp-secret').textContent = '';
  byId('confirm-totp').hidden = true;
  await showAccount();
  say('The authenticator is yours.');
}

/** Sets the password, given the current one; an empty one is none. */
export async function setPassword(password: string, current: string): Promise<void> {
  await ask('POST', '/v1/account/password', { password, ...(current === '' ? {} : { current }) });
  await showAccount();
  say('The password is set, and your other sessions have ended.');
}

/** Makes ten recovery codes and shows them. */
export async function makeCodes(): Promise<void> {
  const { codes } = await ask<{ codes: readonly string[] }>('POST', '/v1/account/recovery-codes', {});
  const shown = byId('codes');
  shown.textContent = codes.join('\n');
  shown.hidden = false;
  say('Keep these where you find them without this machine; they are shown this once.');
}
