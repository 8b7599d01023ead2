import { isId, type MemberId } from '@ringfence/base';
import type { KeptNotice } from '@ringfence/protocol/api';
import type { ControlPlaneEvent } from '../ledger/control-plane-event.ts';

/** Whom an event is told to, and as what. */
export interface MembersNotice {
  readonly member: MemberId;
  readonly about: KeptNotice;
}

type EventOf<Type extends ControlPlaneEvent['type']> = Extract<ControlPlaneEvent, { type: Type }>;

/** The events that members are told of, and as what: whatever changes or uses a way into their account. */
const TOLD: { readonly [Type in ControlPlaneEvent['type']]?: (event: EventOf<Type>) => MembersNotice | undefined } = {
  'factor-enrolled': ({ member, factor }) => ({ member, about: { kind: 'factor-added', factor } }),
  'factor-removed': ({ member, factor }) => ({ member, about: { kind: 'factor-removed', factor } }),
  'passkey-suspended': ({ member }) => ({ member, about: { kind: 'passkey-suspended' } }),
  'session-begun': ({ member, session, factors = [] }) => ({
    member,
    about: { kind: 'session-begun', session, factors },
  }),
  'wrong-tries': ({ member, tries, halfRight }) => ({
    member,
    about: { kind: 'wrong-tries', tries, halfRight, until: null },
  }),
  'stepped-up': ({ member, holder, factor, first }) => {
    if (factor === 'recovery-code') return { member, about: { kind: 'recovery-code-used' } };
    return first === true && isId('device', holder)
      ? { member, about: { kind: 'device-stepped-up', device: holder } }
      : undefined;
  },
};

/** What a member is told of an event; undefined for all that is not about their account. */
export function noticeOf(event: ControlPlaneEvent): MembersNotice | undefined {
  const tell = TOLD[event.type] as ((of: ControlPlaneEvent) => MembersNotice | undefined) | undefined;
  return tell?.(event);
}
