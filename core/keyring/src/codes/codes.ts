import type { JoinCodeId, Rng } from '@ringfence/base';
import { idOf } from '@ringfence/protocol';
import { z } from 'zod';
import { readCode, type CodeKind } from './code-text.ts';
import { codeSecret, OneTimeCode, secretOf } from './one-time-code.ts';
import {
  claimRoute,
  joinRoute,
  registrationRoute,
  type ClaimRoute,
  type JoinRoute,
  type RegistrationRoute,
} from './route.ts';

/** Brings one agent into an organisation; made and spent at its custodian. */
export type JoinCode = OneTimeCode<JoinRoute>;
/** Makes whoever holds it the owner of an unclaimed custodian. */
export type ClaimCode = OneTimeCode<ClaimRoute>;
/** Registers one organisation at a control plane. */
export type RegistrationCode = OneTimeCode<RegistrationRoute>;

const joinSchema = codeSchema(joinRoute);
const claimSchema = codeSchema(claimRoute);
const registrationSchema = codeSchema(registrationRoute);

/** A join code with a fresh secret. */
export function makeJoinCode(id: JoinCodeId, route: JoinRoute, rng: Rng): JoinCode {
  return new OneTimeCode('join', { id, secret: codeSecret(rng), route });
}

/** A claim code with a fresh secret. */
export function makeClaimCode(id: JoinCodeId, route: ClaimRoute, rng: Rng): ClaimCode {
  return new OneTimeCode('claim', { id, secret: codeSecret(rng), route });
}

/** A registration code with a fresh secret. */
export function makeRegistrationCode(id: JoinCodeId, route: RegistrationRoute, rng: Rng): RegistrationCode {
  return new OneTimeCode('registration', { id, secret: codeSecret(rng), route });
}

/** The join code in `text` (`rfj1.…`); throws KeyringError `bad-code`, which repeats nothing of it. */
export function parseJoinCode(text: string): JoinCode {
  return parse('join', joinSchema, text);
}

/** The claim code in `text` (`rfc1.…`); throws KeyringError `bad-code`. */
export function parseClaimCode(text: string): ClaimCode {
  return parse('claim', claimSchema, text);
}

/** The registration code in `text` (`rfr1.…`); throws KeyringError `bad-code`. */
export function parseRegistrationCode(text: string): RegistrationCode {
  return parse('registration', registrationSchema, text);
}

/** The fields of a code around its route. */
function codeSchema<Route extends object>(route: z.ZodType<Route>) {
  return z.strictObject({
    v: z.literal(1),
    id: idOf('joinCode'),
    secret: z.string().regex(/^[A-Za-z0-9_-]{21}[AQgw]$/),
    route,
  });
}

function parse<Route extends object>(
  kind: CodeKind,
  schema: ReturnType<typeof codeSchema<Route>>,
  text: string,
): OneTimeCode<Route> {
  const { id, secret, route } = readCode(kind, schema, text);
  return new OneTimeCode(kind, { id, secret: secretOf(secret), route });
}
