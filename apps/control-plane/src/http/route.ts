import type { DeviceId, MemberId, OrgId, Secret, ServiceAccountId, SessionId } from '@ringfence/base';
import type { SigningPublicKey } from '@ringfence/crypto/sign';
import type { Ceremony } from '@ringfence/policy/assurance';
import type { Action, Role } from '@ringfence/policy/authorise';
import type { TokenId } from '@ringfence/policy/locks';
import type { z } from 'zod';

/** The device that signed a request, and its organisation. */
export interface Caller {
  readonly device: DeviceId;
  /** Whose it is, once that is known here. */
  readonly member?: MemberId | undefined;
  readonly org: OrgId;
  /** What the keyring binds the device to, by its custodian's word. */
  readonly roles: readonly Role[];
  /** The device's key, and the one that signs the organisation's labels; neither ever changes. */
  readonly keys: { readonly device: SigningPublicKey; readonly enrolment: SigningPublicKey };
}

/** A member in a browser: its cookie and its signature say so. */
export interface SessionCaller {
  readonly session: SessionId;
  /** The session, as a lock on a token names it. */
  readonly token: TokenId;
  readonly member: MemberId;
  readonly org: OrgId;
  /** What the member was invited to. */
  readonly roles: readonly Role[];
}

/** A workload, by a key of its service account; nobody is there. */
export interface ServiceCaller {
  readonly account: ServiceAccountId;
  /** The key that signed, as a lock on a token names it. */
  readonly token: TokenId;
  readonly org: OrgId;
  readonly roles: readonly Role[];
}

/** A person who is known to ask. */
export type Asker = Caller | SessionCaller;
/** Whoever is known to ask. */
export type AnyAsker = Asker | ServiceCaller;

/** A request whose body has the declared form and whose caller may do this. */
export interface RouteCall<Body> {
  readonly body: Body;
  readonly parameters: Readonly<Record<string, string>>;
  /** Where it comes from, as the socket says. */
  readonly address: string;
  /** What the browser's cookie shows beside it; nobody looked whose it is. */
  readonly shown: Secret | undefined;
  /** Hands the browser the cookie of a session that just began, or, without a token, takes it away. */
  readonly setSession: (token: Secret | undefined) => void;
}

interface RouteShape<Body extends z.ZodType, Answer extends z.ZodType> {
  readonly method: 'GET' | 'POST' | 'PUT';
  /** Path with `:parameters`. */
  readonly path: string;
  /** One sentence for the API description. */
  readonly summary: string;
  readonly body?: Body;
  /** A read that costs as much as a change: it waits in the same line. */
  readonly costly?: true;
  readonly answer: Answer;
}

/** A route for devices; an action that is not declared fails at boot. */
export interface DeviceRoute<
  Body extends z.ZodType = z.ZodType,
  Answer extends z.ZodType = z.ZodType,
> extends RouteShape<Body, Answer> {
  readonly action: Action;
  readonly handle: (call: RouteCall<z.output<Body>>, caller: Caller) => Promise<z.input<Answer>>;
}

/** A route for devices and for members in a browser. */
export interface SharedRoute<
  Body extends z.ZodType = z.ZodType,
  Answer extends z.ZodType = z.ZodType,
> extends RouteShape<Body, Answer> {
  readonly action: Action;
  readonly handle: (call: RouteCall<z.output<Body>>, asker: Asker) => Promise<z.input<Answer>>;
}

/** A route for devices, members in a browser, and service accounts. */
export interface WorkRoute<Body extends z.ZodType = z.ZodType, Answer extends z.ZodType = z.ZodType> extends RouteShape<
  Body,
  Answer
> {
  readonly action: Action;
  readonly handle: (call: RouteCall<z.output<Body>>, asker: AnyAsker) => Promise<z.input<Answer>>;
}

/** A route about the one that asks: no role permits or denies it. */
interface AccountShape<Body extends z.ZodType, Answer extends z.ZodType> extends RouteShape<Body, Answer> {
  /** What it asks of how surely they are known; without it that they are known at all. */
  readonly ceremony?: Ceremony;
}

/** A route about whoever asks, by device or in a browser. */
export interface AccountRoute<
  Body extends z.ZodType = z.ZodType,
  Answer extends z.ZodType = z.ZodType,
> extends AccountShape<Body, Answer> {
  readonly handle: (call: RouteCall<z.output<Body>>, asker: Asker) => Promise<z.input<Answer>>;
}

/** A route about a member in a browser. */
export interface SessionRoute<
  Body extends z.ZodType = z.ZodType,
  Answer extends z.ZodType = z.ZodType,
> extends AccountShape<Body, Answer> {
  readonly handle: (call: RouteCall<z.output<Body>>, caller: SessionCaller) => Promise<z.input<Answer>>;
}

/** A route for everybody; what it gives out is public, or its body carries its own proof. */
export interface PublicRoute<
  Body extends z.ZodType = z.ZodType,
  Answer extends z.ZodType = z.ZodType,
> extends RouteShape<Body, Answer> {
  readonly action: 'public';
  /** What it does waits for somebody else's server: it has a line of its own, and holds up nothing here. */
  readonly asks?: 'elsewhere';
  readonly handle: (call: RouteCall<z.output<Body>>) => Promise<z.input<Answer>>;
}

/** A row of the route table that asks who it is. */
export interface KnownRoute extends RouteShape<z.ZodType, z.ZodType> {
  readonly action: Action | 'account';
  readonly ceremony?: Ceremony;
  /** `both`: a person's device or browser; `all`: a service account besides. */
  readonly by: 'device' | 'session' | 'both' | 'all';
  readonly handle: (call: RouteCall<unknown>, asker: AnyAsker) => Promise<unknown>;
}

/** Any row of the route table. */
export type Route = KnownRoute | PublicRoute;

/** Types a device's route by its schemas. */
export function deviceRoute<Body extends z.ZodType, Answer extends z.ZodType>(route: DeviceRoute<Body, Answer>): Route {
  return { ...route, by: 'device' } as unknown as Route;
}

/** Types a route for devices and browsers by its schemas. */
export function sharedRoute<Body extends z.ZodType, Answer extends z.ZodType>(route: SharedRoute<Body, Answer>): Route {
  return { ...route, by: 'both' } as unknown as Route;
}

/** Types a route for devices, browsers and service accounts by its schemas. */
export function workRoute<Body extends z.ZodType, Answer extends z.ZodType>(route: WorkRoute<Body, Answer>): Route {
  return { ...route, by: 'all' } as unknown as Route;
}

/** Types a route about whoever asks by its schemas. */
export function accountRoute<Body extends z.ZodType, Answer extends z.ZodType>(
  route: AccountRoute<Body, Answer>,
): Route {
  return { ...route, action: 'account', by: 'both' } as unknown as Route;
}

/** Types a route about a member in a browser by its schemas. */
export function sessionRoute<Body extends z.ZodType, Answer extends z.ZodType>(
  route: SessionRoute<Body, Answer>,
): Route {
  return { ...route, action: 'account', by: 'session' } as unknown as Route;
}

/** Types a public route by its schemas. */
export function publicRoute<Body extends z.ZodType, Answer extends z.ZodType>(route: PublicRoute<Body, Answer>): Route {
  return route as unknown as Route;
}
