export { DIRECTION_BYTE, type Direction, type PartyRole } from './direction.ts';
export { signFrame, verifyFrame, type SignedFrame } from './frame-signature.ts';
export { FRAME_REFUSALS, refused, type FrameRefusal, type Refused } from './refusal.ts';
