import type { Clock } from '@ringfence/base';
import type { Digest } from '@ringfence/crypto/sign';
import type { SignedRequest } from '@ringfence/protocol/api';
import {
  ACTION_ASSURANCE,
  CEREMONY_ASSURANCE,
  checkAssurance,
  enoughBy,
  levelOf,
  requirementIn,
  type AssuranceMode,
  type Factor,
  type Requirement,
} from '@ringfence/policy/assurance';
import { ControlPlaneError } from '../control-plane-error.ts';
import { ASSURANCE_RULES } from '../members/assurance-rules.ts';
import { enrolledFactors, hasSecondFactor, type EnrolledFactors } from '../members/enrolled-factors.ts';
import type { GivenFactor } from '../members/given-factors.ts';
import { factorsOf, standingOf } from '../members/standing.ts';
import type { ControlPlaneStore } from '../store/open-store.ts';
import { requestDigest } from './request-digest.ts';
import type { AnyAsker, KnownRoute } from './route.ts';
import { StepUpNeeded } from './step-up-needed.ts';

/** Who asks, by which rules, and what of it is known without a look into the database. */
export interface AskerAssurance {
  readonly asker: AnyAsker;
  readonly mode: AssuranceMode;
  /** Of a session: what was given to it; of a device nothing yet. */
  readonly given: readonly GivenFactor[];
}

/** Who asks, and what exactly: at level 3 a passkey is given for one request alone. */
export interface SureFor extends AskerAssurance {
  readonly request: SignedRequest;
}

type Parts = { readonly store: ControlPlaneStore; readonly clock: Clock };

/** Whether who asks is known surely enough for a route. Throws {@link StepUpNeeded}. */
export async function assertSure(
  parts: Parts,
  route: KnownRoute,
  { asker, mode, given, request }: SureFor,
): Promise<void> {
  const asked = requirementOf(route);
  if (asked === undefined) return;
  const requirement = requirementIn(mode, asked);
  if ('account' in asker) return assertMachineMay(requirement, parts.clock);
  const forDigest = requirement.level === 3 ? requestDigest(request) : undefined;
  const counting = (list: readonly GivenFactor[]) => factorsOf(asker, list.filter(isFor(forDigest)), parts.clock.now());
  if (isSure(parts.clock, requirement, counting(given))) return;
  // What is kept in memory may be a second old, and of a device nothing was read yet.
  const standing = await standingOf(parts, asker);
  const factors = counting(standing.member === null ? [] : standing.given);
  if (isSure(parts.clock, requirement, factors)) return;
  const { store, clock } = parts;
  if (standing.member === null) throw new StepUpNeeded(requirement, ['totp', 'passkey'], forDigest);
  const enrolled = await enrolledFactors(store, asker.org, standing.member);
  if (route.ceremony === 'factor:add' && isSettingUp(clock, requirement, { enrolled, factors })) return;
  const assured = { person: true, factors };
  const enough = enoughBy(requirement, assured, enrolled.factors, { now: clock.now(), rules: ASSURANCE_RULES });
  throw new StepUpNeeded(
    requirement,
    enough.map(({ kind }) => kind),
    forDigest,
  );
}

/**
 * Whether somebody sets up what they will be asked for: they have nothing yet but the way in, or nothing that would be enough together and gave
 * this session as much of that as there is. So it matters not whether a password or an authenticator is first.
 */
function isSettingUp(
  clock: Clock,
  requirement: Requirement,
  { enrolled, factors }: { readonly enrolled: EnrolledFactors; readonly factors: readonly Factor[] },
): boolean {
  if (!hasSecondFactor(enrolled)) return true;
  const all = enrolled.factors.map((factor) => ({ ...factor, at: clock.now() }));
  const own = factors.filter(({ kind }) => all.some((factor) => factor.kind === kind));
  return !isSure(clock, requirement, all) && levelOf(own, ASSURANCE_RULES) >= levelOf(all, ASSURANCE_RULES);
}

/** A service account is nobody: what asks for more than level 1, or for two people, is not for it, and it steps up to nothing. */
function assertMachineMay(requirement: Requirement, clock: Clock): void {
  const now = clock.now();
  const assured = { person: false, factors: [{ kind: 'federated', at: now }] } as const;
  if (checkAssurance(requirement, assured, { now, rules: ASSURANCE_RULES }).allow) return;
  throw new ControlPlaneError('not-authorised', 'this asks for a person', { next: 'ask as a device or in a browser' });
}

/** A passkey that was given for one thing is good for no other one that asks level 3 (docs/identity.md). */
function isFor(digest: Digest | undefined): (factor: GivenFactor) => boolean {
  return ({ kind, traits }) => digest === undefined || kind !== 'passkey' || traits.forDigest === digest;
}

function requirementOf(route: KnownRoute): Requirement | undefined {
  if (route.action !== 'account') return ACTION_ASSURANCE[route.action];
  return route.ceremony === undefined ? undefined : CEREMONY_ASSURANCE[route.ceremony];
}

function isSure(clock: Clock, requirement: Requirement, factors: ReturnType<typeof factorsOf>): boolean {
  return checkAssurance(requirement, { person: true, factors }, { now: clock.now(), rules: ASSURANCE_RULES }).allow;
}
