import type { Readable } from 'node:stream';
import type { AgentId, DeviceId } from '@ringfence/base';
import type { LinkPeer } from '@ringfence/client/payload-link';
import type { Action } from '@ringfence/policy/authorise';
import type { z } from 'zod';
import type { ClaimedOrganisation } from '../claim/claimed-organisation.ts';

/** Who is at the other end of a link, by the keyring as it is now. */
export type Caller =
  | { readonly kind: 'unknown'; readonly peer: LinkPeer }
  | { readonly kind: 'device'; readonly id: DeviceId; readonly peer: LinkPeer }
  | { readonly kind: 'agent'; readonly id: AgentId; readonly peer: LinkPeer };

/** A request whose caller may make it and whose body has the declared form. */
export interface RouteCall<Body> {
  readonly body: Body;
  readonly parameters: Readonly<Record<string, string>>;
  readonly query: Readonly<Record<string, string>>;
}

/** Bytes as an answer. */
export interface StreamAnswer {
  readonly stream: Readable;
  readonly length?: number;
}

interface RouteShape<Body> {
  readonly method: 'GET' | 'POST';
  /** Path with `:parameters`. */
  readonly path: string;
  /** One sentence for docs/protocol/payload-api.md. */
  readonly summary: string;
  /** Form of a JSON body; `stream` for a stream of bytes. */
  readonly body?: z.ZodType<Body> | 'stream';
  /** Form of a JSON answer; none for a stream. */
  readonly answer?: z.ZodType;
  /** Longest JSON body in bytes; 1 MiB unless told. */
  readonly longest?: number;
}

/** A route for peers that are no members: its body carries its own proof. */
export interface OpenRoute<Body> extends RouteShape<Body> {
  readonly who: 'anybody';
  readonly handle: (call: RouteCall<Body>, caller: Caller) => Promise<unknown>;
}

/** A route for members: the policies decide on its action, for the caller and the resource that `resource` names. */
export interface MemberRoute<Body, Who extends 'device' | 'agent'> extends RouteShape<Body> {
  readonly who: readonly Who[];
  readonly action: Action;
  /** Open to an agent whose certificate has lapsed. */
  readonly uncertified?: true;
  /** Its handler asks how sure it has to be, by what the body says; without it the action does. */
  readonly assured?: 'by-handler';
  /** Parameter that names the resource; the organisation or project where there is none. */
  readonly resource?: string;
  readonly handle: (
    call: RouteCall<Body>,
    caller: Extract<Caller, { kind: Who }>,
    claimed: ClaimedOrganisation,
  ) => Promise<unknown>;
}

/** Any row of the route table. */
export type Route = OpenRoute<unknown> | MemberRoute<unknown, 'device' | 'agent'>;

/** Types a route for strangers by its schemas. */
export function openRoute<Body>(route: OpenRoute<Body>): Route {
  return route as unknown as Route;
}

/** Types a route for members by its schemas and its callers. */
export function memberRoute<Body, Who extends 'device' | 'agent'>(route: MemberRoute<Body, Who>): Route {
  return route as unknown as Route;
}
