/**
 * The identity of an organisation's log at a control plane or custodian: `ringfence/KEEPER/ORGANISATION`, and `/EPOCH` from the second
 * epoch on. A restored keeper never signs the origin that it had before.
 */
export function originOf(keeper: string, org: string, epoch: number): string {
  return `ringfence/${keeper}/${org}${epoch === 1 ? '' : `/${epoch}`}`;
}

/** The epoch of the log that {@link originOf} names so; undefined for a name that it gives no log of this keeper and organisation. */
export function epochOfOrigin(origin: string, keeper: string, org: string): number | undefined {
  const [, , , epoch = '1'] = origin.split('/');
  return originOf(keeper, org, Number(epoch)) === origin && Number.isSafeInteger(Number(epoch)) && Number(epoch) >= 1
    ? Number(epoch)
    : undefined;
}
