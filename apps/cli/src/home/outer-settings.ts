/** CA file and proxy come from the environment, unless a flag names a file: they belong to the network that this machine is in. */
export function outerSettings(
  pin: string | null,
  caFile = process.env['RINGFENCE_CA_FILE'],
): { caFile?: string; pin?: string; proxy?: string } {
  const proxy = process.env['RINGFENCE_PROXY'];
  return {
    ...(caFile === undefined ? {} : { caFile }),
    ...(pin === null ? {} : { pin }),
    ...(proxy === undefined ? {} : { proxy }),
  };
}
