/** Members of the European Union, ISO 3166-1 alpha-2 (europa.eu, 27 countries). */
const EU = 'AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK'.split(' ');
/** The European Economic Area: the Union and three EFTA states (EEA Agreement, Article 126). */
const EEA = [...EU, 'IS', 'LI', 'NO'];
const UNIONS: Readonly<Record<string, readonly string[]>> = { EU, EEA };

/**
 * Where data may be: anywhere, or the listed countries only (sorted, `EU` and `EEA` written out). The empty list means
 * nowhere; on the wire an empty list means anywhere, so only {@link residencyOf} and {@link residencyList} convert.
 */
export type Residency = 'anywhere' | readonly string[];

/** The residency that a statement's or a job file's list says; an empty list is no restriction. */
export function residencyOf(list: readonly string[]): Residency {
  return list.length === 0 ? 'anywhere' : countriesOf(list);
}

/** The list that statements carry for `residency`; undefined for nowhere, which no statement may say. */
export function residencyList(residency: Residency): string[] | undefined {
  if (residency === 'anywhere') return [];
  if (residency.length === 0) return undefined;
  const all = new Set(residency);
  const union = (['EEA', 'EU'] as const).find((name) => UNIONS[name]?.every((country) => all.has(country)));
  if (union === undefined) return [...residency];
  return [union, ...residency.filter((country) => UNIONS[union]?.includes(country) !== true)].toSorted();
}

/** Where data may be that both `a` and `b` allow. */
export function meetResidency(a: Residency, b: Residency): Residency {
  if (a === 'anywhere') return b;
  if (b === 'anywhere') return a;
  return a.filter((country) => b.includes(country));
}

/**
 * Whether all of `jurisdictions` lie inside `residency`. A place with no known jurisdiction lies nowhere in particular and
 * fits only an unrestricted residency; one under two laws must be allowed under both.
 */
export function residencyCovers(residency: Residency, jurisdictions: readonly string[]): boolean {
  if (residency === 'anywhere') return true;
  return jurisdictions.length > 0 && countriesOf(jurisdictions).every((country) => residency.includes(country));
}

/** Whether the law of none of `denied` applies; of a place with no known jurisdiction that is not known. */
export function residencySpares(denied: readonly string[], jurisdictions: readonly string[]): boolean {
  if (denied.length === 0) return true;
  const countries = countriesOf(denied);
  return jurisdictions.length > 0 && !countriesOf(jurisdictions).some((country) => countries.includes(country));
}

/** Whether `inner` allows no place that `outer` forbids. */
export function residencyWithin(inner: Residency, outer: Residency): boolean {
  if (outer === 'anywhere') return true;
  return inner !== 'anywhere' && inner.every((country) => outer.includes(country));
}

function countriesOf(list: readonly string[]): string[] {
  return [...new Set(list.flatMap((name) => UNIONS[name] ?? [name]))].toSorted();
}
