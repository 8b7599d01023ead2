import type { DeviceId, EpochMs } from '@ringfence/base';
import {
  checkAssurance,
  enoughBy,
  requirementIn,
  type AssuranceLevel,
  type Factor,
  type Requirement,
} from '@ringfence/policy/assurance';
import { CustodianError } from '../custodian-error.ts';
import { RULES, type AccessBook, type GivenKind } from './access-book.ts';

/** The highest level that the factors which this custodian takes reach together; what asks more is asked so much here. */
const HIGHEST_REACHED: AssuranceLevel = 2;

/** This asks for a surer sign of who asks: what level, how young, and what would be enough now. */
export class StepUpNeeded extends CustodianError {
  readonly needed: { readonly level: number; readonly withinMs: number; readonly enough: readonly GivenKind[] };

  constructor({ level, withinMs }: Requirement, enough: readonly GivenKind[]) {
    super('step-up', 'this asks for a surer sign of who you are than this device', {
      next:
        enough.length === 0
          ? 'enrol an authenticator: `ringfence factor add totp`, then `ringfence factor confirm`'
          : `run \`ringfence step-up\` (${enough.join(' or ')}), then the same command again`,
    });
    this.needed = { level, withinMs, enough };
  }
}

/** What `requirement` asks at this custodian, by what its members have enrolled. */
export function askedHere(book: AccessBook, requirement: Requirement): Requirement {
  const { level } = requirement;
  return requirementIn(book.mode, level > HIGHEST_REACHED ? { ...requirement, level: HIGHEST_REACHED } : requirement);
}

/** Whether who asks by `device` is known surely enough. Throws {@link StepUpNeeded}. */
export function assertSure(
  book: AccessBook,
  device: DeviceId,
  { requirement, now }: { readonly requirement: Requirement; readonly now: EpochMs },
): void {
  const asked = askedHere(book, requirement);
  const assured = { person: true, factors: book.factorsAt(device, now) };
  const context = { now, rules: RULES };
  if (checkAssurance(asked, assured, context).allow) return;
  const enrolled = book.hasTotp(book.memberOf(device)) ? ENROLLED.map((kind) => ({ kind, at: now })) : [];
  throw new StepUpNeeded(
    asked,
    enoughBy(asked, assured, enrolled, context).map(({ kind }) => kind),
  );
}

const ENROLLED = ['totp', 'recovery-code'] as const satisfies readonly Factor['kind'][];
