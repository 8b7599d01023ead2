import {
  concatBytes,
  fromUtf8,
  type AgentId,
  type ControlPlaneId,
  type CustodianId,
  type EpochMs,
  type Rng,
} from '@ringfence/base';
import { createInitiator, respond, type ChannelKeys } from '@ringfence/crypto/channel';
import {
  sha256,
  verifyEnvelope,
  verifySignature,
  type Envelope,
  type SigningKey,
  type SigningPublicKey,
} from '@ringfence/crypto/sign';
import { controlPlaneKeys, type ControlPlaneKeys } from '../statements/index.ts';
import { decodeAccept, decodeOpen, encodeAccept, encodeOpen, type AcceptFrame } from './handshake-frame.ts';
import { refused, type Refused } from './refusal.ts';

/** How far ahead of this side's wall clock a control plane's keys may begin. */
const CLOCK_SKEW_MS = 300_000;

/** Whom a party means to reach. */
export interface PinnedControlPlane {
  readonly controlPlane: ControlPlaneId;
  /** The control plane's root, as the join code pinned it. */
  readonly root: SigningPublicKey;
}

/** What both sides share after the two plain frames. */
export interface Agreed {
  readonly ok: true;
  /** SHA-256 of both frames: 32 bytes. */
  readonly transcript: Uint8Array;
  readonly keys: ChannelKeys;
}

/** A handshake that the party began. */
export interface PartyHandshake {
  /** The open frame. */
  readonly open: Uint8Array;
  /**
   * Checks the accept frame and agrees on keys. Refuses what `decodeAccept` refuses, and `keys`, `recipient`,
   * `handshake-signature`, `key-agreement`.
   */
  readonly finish: (
    accept: Uint8Array,
    now: EpochMs,
  ) =>
    | (Agreed & {
        readonly controlPlaneKeys: ControlPlaneKeys;
        /** The same as its root signed it, for whoever has to be shown. */
        readonly keysEnvelope: Envelope;
        readonly last: AcceptFrame['last'];
      })
    | Refused;
}

/** Begins a handshake with fresh ephemeral keys. */
export function beginHandshake(party: AgentId | CustodianId, pinned: PinnedControlPlane, rng: Rng): PartyHandshake {
  const initiator = createInitiator(rng);
  const open = encodeOpen({ party, controlPlane: pinned.controlPlane, share: initiator.publicShare }, rng);
  return {
    open,
    finish(accept, now) {
      const checked = checkAccept(open, accept, { ...pinned, now });
      if (!checked.ok) return checked;
      const transcript = transcriptOf(open, accept);
      const keys = agree(() => initiator.finish(checked.share, transcript));
      if (keys === undefined) return refused('key-agreement');
      const { controlPlaneKeys: speaks, keys: keysEnvelope, last } = checked;
      return { ok: true, transcript, keys, controlPlaneKeys: speaks, keysEnvelope, last };
    },
  };
}

/** Whether an accept frame answers this open frame in the name of the pinned control plane, at the moment `now`. */
export function checkAccept(
  open: Uint8Array,
  accept: Uint8Array,
  pinned: PinnedControlPlane & { readonly now: EpochMs },
): (AcceptFrame & { readonly ok: true; readonly controlPlaneKeys: ControlPlaneKeys }) | Refused {
  const frame = decodeAccept(accept);
  if (!frame.ok) return frame;
  const speaks = openKeys(frame.keys, pinned);
  if (!speaks.ok) return speaks;
  const signed = sha256(concatBytes(open, frame.unsigned));
  if (!verifySignature(speaks.keys.frames, 'ringfence/handshake/v1', signed, frame.signature))
    return refused('handshake-signature');
  return { ok: true, keys: frame.keys, last: frame.last, share: frame.share, controlPlaneKeys: speaks.keys };
}

function openKeys(
  envelope: Envelope,
  { controlPlane, root, now }: PinnedControlPlane & { now: EpochMs },
): { ok: true; keys: ControlPlaneKeys } | Refused {
  try {
    const bytes = verifyEnvelope(envelope, 'application/vnd.ringfence.control-plane-keys.v1+json', [root]);
    const keys = controlPlaneKeys.parse(JSON.parse(fromUtf8(bytes)));
    if (keys.controlPlane !== controlPlane) return refused('recipient');
    const inTime = keys.at <= now + CLOCK_SKEW_MS && now < keys.notAfter;
    return keys.root === root && inTime ? { ok: true, keys } : refused('keys');
  } catch {
    return refused('keys');
  }
}

/** What an open frame that reached the right control plane asks for. */
export interface OpenRequest {
  readonly ok: true;
  readonly party: AgentId | CustodianId;
  /**
   * The accept frame and the keys, once the control plane knows whom it answers. Refuses `key-agreement`. Throws
   * RangeError when `keys` does not fit.
   */
  readonly answer: (answer: {
    keys: Envelope;
    framesKey: SigningKey;
    last: AcceptFrame['last'];
    rng: Rng;
  }) => (Agreed & { readonly accept: Uint8Array }) | Refused;
}

/** Reads an open frame at the control plane called `controlPlane`; refuses what `decodeOpen` refuses, and `recipient`. */
export function readOpen(open: Uint8Array, controlPlane: ControlPlaneId): OpenRequest | Refused {
  const request = decodeOpen(open);
  if (!request.ok) return request;
  if (request.controlPlane !== controlPlane) return refused('recipient');
  return {
    ok: true,
    party: request.party,
    answer({ keys, framesKey, last, rng }) {
      const responder = agree(() => respond(request.share, rng));
      if (responder === undefined) return refused('key-agreement');
      const accept = encodeAccept({ keys, last, share: responder.share }, rng, (unsigned) =>
        framesKey.sign('ringfence/handshake/v1', sha256(concatBytes(open, unsigned))),
      );
      const transcript = transcriptOf(open, accept);
      return { ok: true, accept, transcript, keys: responder.finish(transcript) };
    },
  };
}

/** SHA-256 of the two plain frames: names both ends and this connection. */
export function transcriptOf(open: Uint8Array, accept: Uint8Array): Uint8Array {
  return sha256(concatBytes(open, accept));
}

function agree<T>(step: () => T): T | undefined {
  try {
    return step();
  } catch {
    return undefined;
  }
}
