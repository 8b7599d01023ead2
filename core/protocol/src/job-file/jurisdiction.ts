// Member states of the European Union since 2020-02-01 (Treaty on European Union, article 52).
const EU = 'AT BE BG HR CY CZ DK EE FI FR DE GR HU IE IT LV LT LU MT NL PL PT RO SK SI ES SE'.split(' ');
/** Unions of countries that a residency may name, with their members. */
const UNIONS: Readonly<Record<string, readonly string[]>> = {
  EU,
  // Agreement on the European Economic Area: the Union, Iceland, Liechtenstein, Norway.
  EEA: ['EU', ...EU, 'IS', 'LI', 'NO'],
};

/** Whether all of `inner` lies in `outer`: the same, or a member of that union. */
export function isWithinJurisdiction(inner: string, outer: string): boolean {
  return inner === outer || (Object.hasOwn(UNIONS, outer) && (UNIONS[outer] ?? []).includes(inner));
}
