import type { Notice } from '@ringfence/protocol/api';

type About = Notice['about'];
type Of<Kind extends About['kind']> = Extract<About, { kind: Kind }>;
type Factor = Of<'factor-added'>['factor'];

const NAMES: Readonly<Record<Factor, string>> = {
  password: 'password',
  totp: 'authenticator code',
  'recovery-code': 'recovery code',
  passkey: 'passkey',
  sso: 'identity provider',
};

const ADDED: Readonly<Record<Factor, string>> = {
  password: 'your password was set, and your other sessions ended',
  totp: 'an authenticator became yours',
  'recovery-code': 'ten recovery codes were made for you; those before are void',
  passkey: 'a passkey became yours',
  sso: 'an identity provider’s word was linked to you',
};

const NOT_YOU = 'if that was not you, end your sessions at /account and tell an officer';

/** A notice in a sentence, with what to do about it. */
export function noticeText(about: About): string {
  switch (about.kind) {
    case 'factor-added':
      return `${ADDED[about.factor]}; ${NOT_YOU}`;
    case 'factor-removed':
      if (about.factor === 'sso')
        return 'an identity provider was taken away, and its word counts no more for you; ask an officer if you did not expect it';
      return `your ${about.factor === 'totp' ? 'authenticator' : NAMES[about.factor]} was removed; ${NOT_YOU}`;
    case 'passkey-suspended':
      return 'a passkey of yours may exist twice and is suspended; sign in with something else, and remove it at /account';
    case 'recovery-code-used':
      return `a recovery code of yours was used; ${NOT_YOU}`;
    case 'session-begun':
      return `a browser signed in as you by ${ways(about.factors)}; ${NOT_YOU}`;
    case 'device-stepped-up':
      return `${about.device} became your device by its first step-up; ${NOT_YOU}`;
    case 'wrong-tries':
      return triesText(about);
    case 'waits':
      return waitsText(about);
    case 'ends-soon':
      return endsText(about);
  }
}

function ways(factors: readonly Factor[]): string {
  return factors.length === 0 ? 'your invitation' : factors.map((factor) => NAMES[factor]).join(' and ');
}

function triesText({ tries, halfRight, until }: Of<'wrong-tries'>): string {
  const which = tries === 1 ? 'it had' : 'one of them had';
  const half = halfRight
    ? `; ${which} one right factor: change your password and authenticator if that was not you`
    : '';
  return until === null
    ? `you were let in after ${tries === 1 ? 'a wrong try' : `${tries} wrong tries`}${half}`
    : `somebody tried your sign-in name wrongly, ${tries === 1 ? 'once' : `${tries} times`}${half}; each wrong try makes the next one wait longer`;
}

function waitsText({ lock, wants, until }: Of<'waits'>): string {
  const what = wants === 'lift' ? `the end of ${lock}` : `that ${lock} holds on`;
  const how = until === null ? 'waits for a second officer' : 'was agreed to by a lone officer and waits';
  return `${what} ${how}; see \`ringfence lock ls\`, and lock or remove the device that agreed if its officer did not`;
}

function endsText({ what }: Of<'ends-soon'>): string {
  return what.kind === 'account-key'
    ? `the key ${what.key} of ${what.account} ends; add an account with a new key (\`ringfence service-account add\`) and let the workload change over`
    : `${what.invitation} for ${what.member} ends and nobody has accepted it; invite anew (\`ringfence member invite\`)`;
}
