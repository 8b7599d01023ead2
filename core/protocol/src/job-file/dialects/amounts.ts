/** SkyPilot’s `4`, `4+` and dstack’s `4`, `4..`, `2..8` as an amount of ours; undefined for anything else. */
export function amountOf(text: string): string | undefined {
  const found = /^(\d+(?:\.\d+)?)(?:(\+|\.\.)|\.\.(\d+(?:\.\d+)?))?$/.exec(text.trim());
  if (found === null) return undefined;
  const [, from = '', open, to] = found;
  if (to !== undefined) return `${from}..${to}`;
  return open === undefined ? from : `${from}+`;
}

/**
 * A size of memory or disk as one that asks for room and sets no limit: others’ sizes are those of the machine. A number without a unit is
 * in GB; of a range the lower end counts. Undefined for anything else.
 */
export function roomOf(text: string): string | undefined {
  const found = /^(\d+(?:\.\d+)?)\s*(?:([GMT])(?:i?B)?)?(?:\+|\.\..*)?$/i.exec(text.trim());
  const [, size = '', unit = 'G'] = found ?? [];
  return found === null ? undefined : `${size}${unit.toUpperCase()}B+`;
}

/** `A100-80GB`, `A100-80GB-SXM`, `TESLA_T4` as model and memory of ours; undefined when it is no name of a GPU. */
export function gpuModelOf(text: string): string | undefined {
  const name = text.trim().replaceAll('_', '-');
  const [, model = name, memory] = /^([A-Za-z][A-Za-z0-9-]*?)-(\d+)GB?(?:-[A-Za-z0-9-]*)?$/.exec(name) ?? [];
  if (!/^[A-Za-z][A-Za-z0-9-]{0,15}$/.test(model)) return undefined;
  return memory === undefined ? model : `${model}:${memory}GB`;
}
