import type { DeviceId, OrgId } from '@ringfence/base';
import type { SigningPublicKey } from '@ringfence/crypto/sign';
import type { Action } from '@ringfence/policy/authorise';
import type { z } from 'zod';

/** The device that signed a request, and its organisation. */
export interface Caller {
  readonly device: DeviceId;
  readonly org: OrgId;
  /** The device's key, and the one that signs the organisation's labels; neither ever changes. */
  readonly keys: { readonly device: SigningPublicKey; readonly enrolment: SigningPublicKey };
}

/** A request whose body has the declared form and whose caller may do this. */
export interface RouteCall<Body> {
  readonly body: Body;
  readonly parameters: Readonly<Record<string, string>>;
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

/** A route for everybody; what it gives out is public, or its body carries its own proof. */
export interface PublicRoute<
  Body extends z.ZodType = z.ZodType,
  Answer extends z.ZodType = z.ZodType,
> extends RouteShape<Body, Answer> {
  readonly action: 'public';
  readonly handle: (call: RouteCall<z.output<Body>>) => Promise<z.input<Answer>>;
}

/** Any row of the route table. */
export type Route = DeviceRoute | PublicRoute;

/** Types a device's route by its schemas. */
export function deviceRoute<Body extends z.ZodType, Answer extends z.ZodType>(route: DeviceRoute<Body, Answer>): Route {
  return route as unknown as Route;
}

/** Types a public route by its schemas. */
export function publicRoute<Body extends z.ZodType, Answer extends z.ZodType>(route: PublicRoute<Body, Answer>): Route {
  return route as unknown as Route;
}
