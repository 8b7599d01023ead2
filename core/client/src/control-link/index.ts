export type {
  AcceptedLink,
  AcceptingLink,
  AcceptLinkOptions,
  DurableControlMessage,
  DurablePartyMessage,
  GoodbyeReason,
  HelloAnswer,
  HelloEvent,
  JournalPoint,
  KnownParty,
  LinkEnd,
  PartyMessageContext,
  RenewedLease,
} from './accept-link-options.ts';
export type {
  ControlLink,
  ControlLinkOptions,
  ControlMessageContext,
  ControlPlaneMessage,
  LinkState,
} from './control-link-options.ts';
export { LinkJournal, type Fact, type LinkParty, type StoredFact } from './link-journal.ts';
