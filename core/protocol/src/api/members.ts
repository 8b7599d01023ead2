import { z } from 'zod';
import { idOf, moment } from '../fields.ts';
import { KEYRING_ROLES } from '../statements/keyring.ts';

/** A role everywhere, or in one project. */
const boundRole = z.strictObject({ role: z.enum(KEYRING_ROLES), project: idOf('project').optional() });
/** What a member or a service account may do. */
export const memberRoles = z.array(boundRole).max(32).readonly();
const roles = memberRoles;
/** Kinds of proof that the control plane verifies itself. */
export const FACTOR_KINDS = ['password', 'totp', 'recovery-code', 'passkey', 'sso'] as const;
const factorKind = z.enum(FACTOR_KINDS);
/** Ten letters that were drawn for a member. */
export const signInName = z.string().regex(/^[a-z2-7]{10}$/);

/** A name as somebody typed it, in whatever case and with whatever spaces. */
const typedName = z.string().regex(/^[A-Za-z0-9 -]{1,64}$/);
/** A code as somebody typed it. */
const typedCode = z.string().regex(/^[A-Za-z0-9 -]{1,64}$/);
/** What is hashed and forgotten. */
const typedPassword = z.string().regex(/^[^\p{Cc}]{1,512}$/u);

/** `POST /v1/members`: a member to be, with what they may do once they are in. */
export const memberInvitation = z.strictObject({ roles: roles.refine((list) => list.length > 0) });
/** What the invited person is handed, by whoever invited them; the secret is told this once. */
export const memberInvited = z.strictObject({
  member: idOf('member'),
  invitation: idOf('invitation'),
  signInName,
  /** Base64url of 32 random bytes. */
  secret: z.string(),
  expires: moment,
});

/** `GET /v1/members`. */
export const memberList = z.strictObject({
  members: z.array(
    z.strictObject({
      member: idOf('member'),
      state: z.enum(['invited', 'active']),
      roles,
      since: moment,
      /** Kinds that they have enrolled here. */
      factors: z.array(factorKind),
      sessions: z.int().min(0),
    }),
  ),
});

/** An open session; `session` is no secret. */
const sessionView = z.strictObject({
  session: idOf('session'),
  member: idOf('member'),
  since: moment,
  seen: moment,
  until: moment,
});
/** `GET /v1/sessions` and `GET /v1/account/sessions`. */
export const sessionList = z.strictObject({ sessions: z.array(sessionView) });
/** What an ending answers. */
export const sessionsEnded = z.strictObject({ ended: z.int().min(0) });

/** What a browser tells of itself when it signs in: the Ed25519 key that it cannot export. */
export const browserKey = z.string().regex(/^[A-Za-z0-9_-]{43}$/);

/** `POST /v1/sign-in/invitation`. */
export const invitationSignIn = z.strictObject({
  secret: z.string().regex(/^[A-Za-z0-9_-]{43}$/),
  publicKey: browserKey,
});
/** A code that is typed beside what is known. */
export const secondFactor = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('totp'), code: typedCode }),
  z.strictObject({ kind: z.literal('recovery-code'), code: typedCode }),
]);
/** `POST /v1/sign-in/password`: what is known, and a second thing. */
export const passwordSignIn = z.strictObject({
  signInName: typedName,
  password: typedPassword,
  second: secondFactor.optional(),
  publicKey: browserKey,
});
/** Who signed in; the token is in the cookie alone. */
export const signedIn = z.strictObject({ session: idOf('session'), member: idOf('member'), until: moment });

/** `POST /v1/step-up`: a factor given now, to the session or device that signs the request. */
export const stepUpGiven = z.strictObject({
  /** A device says whose it is the first time. */
  signInName: typedName.optional(),
  factor: z.discriminatedUnion('kind', [
    z.strictObject({ kind: z.literal('totp'), code: typedCode }),
    z.strictObject({ kind: z.literal('recovery-code'), code: typedCode }),
    z.strictObject({ kind: z.literal('password'), password: typedPassword }),
  ]),
});

const given = z.strictObject({ kind: factorKind, at: moment });
/** What a step-up leaves: the factors that were given to this session or device, and how sure they make. */
export const stepUpAnswer = z.strictObject({ level: z.int().min(0).max(3), given: z.array(given) });

/** `GET /v1/account`: what the one that asks may know of its own standing. */
export const accountView = z.strictObject({
  /** Null for a device that nobody stepped up yet. */
  member: idOf('member').nullable(),
  signInName: signInName.nullable(),
  session: idOf('session').nullable(),
  until: moment.nullable(),
  roles,
  mode: z.enum(['factors', 'device-only']),
  enrolled: z.array(factorKind),
  recoveryCodesLeft: z.int().min(0),
  given: z.array(given),
  /** How sure this process is of who asks. */
  level: z.int().min(0).max(3),
});

/** `POST /v1/account/password`: the new one, and the one before where there is one. */
export const passwordChange = z.strictObject({ password: typedPassword, current: typedPassword.optional() });
/** `POST /v1/account/totp`: what an authenticator is told, this once. */
export const totpBegun = z.strictObject({ secret: z.string(), uri: z.string() });
/** `POST /v1/account/totp/confirm`. */
export const totpConfirmation = z.strictObject({ code: typedCode });
/** `POST /v1/account/recovery-codes`: all ten, this once. */
export const recoveryCodesMade = z.strictObject({ codes: z.array(z.string()) });
/** Nothing more to say. */
export const doneAnswer = z.strictObject({ done: z.literal(true) });
/** A body without fields. */
export const emptyBody = z.strictObject({});

export type MemberInvited = z.infer<typeof memberInvited>;
export type MemberList = z.infer<typeof memberList>;
export type SessionList = z.infer<typeof sessionList>;
export type AccountView = z.infer<typeof accountView>;
export type StepUpAnswer = z.infer<typeof stepUpAnswer>;
