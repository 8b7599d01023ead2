/** Milliseconds that this process has computed so far: a bound on it holds however busy the machine is. */
export function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
}
