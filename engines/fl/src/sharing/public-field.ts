/** GF(2^16) over public elements (indices and coefficients; what is secret is in kernels/sharing.ts), with x^16 + x^12 + x^3 + x + 1, which is primitive: 2 generates all but zero. */
const POLYNOMIAL = 0x1_100b;
const ORDER = 0xffff;

let tables: { readonly power: Uint16Array; readonly logarithm: Uint16Array } | undefined;

/** Product of two elements that are public: it looks them up, so how long it takes depends on them. */
export function multiplyPublic(a: number, b: number): number {
  if (a === 0 || b === 0) return 0;
  const { power, logarithm } = publicTables();
  return power[((logarithm[a] as number) + (logarithm[b] as number)) % ORDER] as number;
}

/** The inverse of a public element that is not zero. */
export function invertPublic(a: number): number {
  const { power, logarithm } = publicTables();
  return power[(ORDER - (logarithm[a] as number)) % ORDER] as number;
}

function publicTables(): { readonly power: Uint16Array; readonly logarithm: Uint16Array } {
  if (tables !== undefined) return tables;
  const [power, logarithm] = [new Uint16Array(ORDER), new Uint16Array(ORDER + 1)];
  for (let [exponent, element] = [0, 1]; exponent < ORDER; exponent += 1) {
    power[exponent] = element;
    logarithm[element] = exponent;
    element = element & 0x8000 ? (element << 1) ^ POLYNOMIAL : element << 1;
  }
  tables = { power, logarithm };
  return tables;
}
