export {
  BUDGET_BYTES,
  BUDGET_RESERVE,
  fullBudget,
  READER_DEPTH,
  refill,
  spend,
  TRANSITION_BYTES,
  waitFor,
  type Budget,
  type Spending,
} from './budget.ts';
export { DIRECTION_BYTE, type Direction, type PartyRole } from './direction.ts';
export { FrameReceiver, fitsOrder, type OpenedFrame } from './frame-receiver.ts';
export { FrameSender, frameBytesOf, type SealedFrame } from './frame-sender.ts';
export { signFrame, verifyFrame, type FrameSigner, type SignedFrame } from './frame-signature.ts';
export { ACCEPT_BYTES, OPEN_BYTES } from './handshake-frame.ts';
export {
  beginHandshake,
  checkAccept,
  readOpen,
  transcriptOf,
  type Agreed,
  type OpenRequest,
  type PartyHandshake,
  type PinnedControlPlane,
} from './handshake.ts';
export { innerLength, writeInnerFrame, type InnerFrame } from './inner-frame.ts';
export { messageOfNumber, mayCross } from './message-body.ts';
export { FRAME_REFUSALS, refused, type FrameRefusal, type Refused } from './refusal.ts';
export { CONTROL_VERSIONS, negotiateVersion } from './version.ts';
export { classForInner, FRAME_SIZES, longestBody, type SizeClass } from './size-class.ts';
