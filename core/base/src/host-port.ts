/** Where to listen or connect: host name or IP address without brackets, and port 0 to 65535. */
export interface HostPort {
  readonly host: string;
  readonly port: number;
}

/** The place that `HOST:PORT` names, `[::1]:7443` for IPv6; undefined when `text` names none. */
export function parseHostPort(text: string): HostPort | undefined {
  const match = /^(?:\[([0-9a-fA-F.]*:[0-9a-fA-F:.]*)\]|([^:[\]\s]+)):(\d{1,5})$/.exec(text);
  const host = match?.[1] ?? match?.[2];
  const port = Number(match?.[3]);
  return host === undefined || port > 65_535 ? undefined : { host, port };
}
