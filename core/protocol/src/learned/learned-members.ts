import {
  invitationSignIn,
  memberInvitation,
  passwordChange,
  passwordSignIn,
  stepUpGiven,
  totpConfirmation,
} from '../api/index.ts';
import type { LearnedSource } from './learned-source.ts';

const BROWSER_KEY = 'a public key that the browser made for this sign-in alone';
const NAME = 'ten letters that this control plane drew for the member';
const PASSWORD = 'a password, while it is checked: one that people should use nowhere else';
const TOTP = 'six digits that are good once';
const RECOVERY = 'a recovery code that is good once';

/** What members and those who invite them send. */
export const MEMBER_SOURCES: readonly LearnedSource[] = [
  {
    what: 'Invitation of a member',
    from: 'device or browser of an officer or owner',
    schema: memberInvitation,
    tells: {
      'roles[].role': 'what the member may do here; no name',
      'roles[].project': 'in which project alone, by a random id',
    },
  },
  {
    what: 'Sign-in by invitation',
    from: 'a browser',
    schema: invitationSignIn,
    tells: { secret: 'which invitation is spent', publicKey: BROWSER_KEY },
  },
  {
    what: 'Sign-in by password',
    from: 'a browser',
    schema: passwordSignIn,
    tells: {
      signInName: NAME,
      password: PASSWORD,
      'second.(1) kind': 'that a one-time password follows',
      'second.(1) code': TOTP,
      'second.(2) kind': 'that a recovery code follows',
      'second.(2) code': RECOVERY,
      publicKey: BROWSER_KEY,
    },
  },
  {
    what: 'Step-up',
    from: 'device or browser of a member',
    schema: stepUpGiven,
    tells: {
      signInName: `${NAME}; of a device once, which tells whose it is`,
      'factor.(1) kind': 'that a one-time password follows',
      'factor.(1) code': TOTP,
      'factor.(2) kind': 'that a recovery code follows',
      'factor.(2) code': RECOVERY,
      'factor.(3) kind': 'that a password follows',
      'factor.(3) password': PASSWORD,
    },
  },
  {
    what: 'New password',
    from: 'a member’s browser',
    schema: passwordChange,
    tells: { password: PASSWORD, current: PASSWORD },
  },
  {
    what: 'First code of an authenticator',
    from: 'a member’s browser',
    schema: totpConfirmation,
    tells: { code: TOTP },
  },
];
