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
export type { JournalRetention } from './closed-part.ts';
export { readHandshakeSeed } from './handshake-seed-file.ts';
export { journalLines, journalParts, type JournalParts } from './journal-parts.ts';
export { LinkJournal, type Fact, type LinkParty, type StoredFact } from './link-journal.ts';
export { acceptLink } from './accept-link.ts';
export { readLinkKeys, type LinkKeys } from './link-keys.ts';
export { createControlLink } from './control-link.ts';
export { hasForked } from './fork.ts';
export { LINK_PATH, LINK_PROTOCOL, LINK_SOCKET_OPTIONS } from './frame-transport.ts';
