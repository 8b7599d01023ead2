import type { PrivacyEvent } from '@ringfence/dp/accountant';
import { eventKey, type PrivacyUnit } from '@ringfence/dp/ledger';
import { privacyUnit } from '@ringfence/protocol/federation';

/** The one spelling of a unit in the ledger. */
export function spellUnit(unit: PrivacyUnit): string {
  return JSON.stringify(unit, Object.keys(unit).toSorted());
}

/** The unit that a spelling names. */
export function readUnit(spelled: string): PrivacyUnit {
  return privacyUnit.parse(JSON.parse(spelled));
}

/** The event that `eventKey` spelled; the accountant checks its numbers. */
export function readEvent(spelled: string): PrivacyEvent {
  return JSON.parse(spelled) as PrivacyEvent;
}

/** What a round is debited by, in one spelling. */
export function spellDebit({
  unit,
  grade,
  events,
}: {
  readonly unit: PrivacyUnit;
  readonly grade: string;
  readonly events: readonly PrivacyEvent[];
}): string {
  return `${spellUnit(unit)} ${grade} [${events.map(eventKey).join(',')}]`;
}
