import type { Brand } from '@ringfence/base';

/** One place that a job may reach: `host:port`, host a DNS name in lower case or an IPv4 address. */
export type EgressTarget = Brand<string, 'EgressTarget'>;

const LABEL = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;

/**
 * Reads `host:port`. Wildcards, schemes, IPv6 literals, numbers that only look like a name, and addresses of the agent's own
 * machine or link (RFC 1122 section 3.2.1.3, RFC 3927) are undefined: the proxy that dials runs outside the sandbox.
 */
export function parseEgressTarget(text: string): EgressTarget | undefined {
  const match = /^([^:]{1,253}):([1-9]\d{0,4})$/.exec(text.toLowerCase());
  const host = match?.[1];
  if (host === undefined || Number(match?.[2]) > 65_535) return undefined;
  const labels = host.split('.');
  if (!labels.every((label) => LABEL.test(label))) return undefined;
  const last = labels.at(-1) ?? '';
  // A host whose last label is numeric is an IPv4 address or nothing (WHATWG URL, "ends in a number").
  const numeric = /^(?:\d+|0x[0-9a-f]*)$/.test(last);
  if (numeric ? !isOutsideIpv4(labels) : last === 'localhost') return undefined;
  return text.toLowerCase() as EgressTarget;
}

function isOutsideIpv4(labels: readonly string[]): boolean {
  const decimal =
    labels.length === 4 && labels.every((label) => /^(?:0|[1-9]\d{0,2})$/.test(label) && Number(label) <= 255);
  const [first, second] = labels.map(Number);
  if (!decimal || first === undefined) return false;
  const ownMachine = first === 0 || first === 127;
  const linkLocal = first === 169 && second === 254;
  return !ownMachine && !linkLocal && first < 224;
}
