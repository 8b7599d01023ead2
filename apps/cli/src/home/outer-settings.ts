/** CA file and proxy come from the environment: they belong to the network that this machine is in. */
export function outerSettings(pin: string | null): { caFile?: string; pin?: string; proxy?: string } {
  const caFile = process.env['RINGFENCE_CA_FILE'];
  const proxy = process.env['RINGFENCE_PROXY'];
  return {
    ...(caFile === undefined ? {} : { caFile }),
    ...(pin === null ? {} : { pin }),
    ...(proxy === undefined ? {} : { proxy }),
  };
}
