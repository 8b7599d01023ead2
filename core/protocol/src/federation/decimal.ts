import type { Brand } from '@ringfence/base';
import { z } from 'zod';

/** A number with a fraction as signed bytes hold it: text in one spelling, since canonical JSON knows whole numbers alone. */
export type Decimal = Brand<string, 'Decimal'>;

/** `0`, `3`, `0.25`, `-1.5`: at most 12 digits before the point and 20 behind it, no needless zero, no `-0`. */
const PATTERN = /^(?!-0$)-?(?:0|[1-9]\d{0,11})(?:\.\d{0,19}[1-9])?$/;
const PLACES = 20;

/** A {@link Decimal}. */
export const decimal = z.string().regex(PATTERN) as unknown as z.ZodType<Decimal, Decimal>;
/** A decimal above zero. */
export const positiveDecimal = decimal.refine((text) => Number(text) > 0, 'not above zero');
/** A decimal in [0, 1). */
export const properFraction = decimal.refine((text) => Number(text) >= 0 && Number(text) < 1, 'not in [0, 1)');
/** A decimal in (0, 1]. */
export const positiveFraction = decimal.refine((text) => Number(text) > 0 && Number(text) <= 1, 'not in (0, 1]');

/** The number that a decimal spells: the nearest double. */
export function numberOf(text: Decimal): number {
  return Number(text);
}

/** The shortest decimal that reads as `value` again; throws RangeError where there is none of at most 12 and 20 digits. */
export function decimalOf(value: number): Decimal {
  const text = withoutExponent(value);
  if (!PATTERN.test(text) || Number(text) !== value) throw new RangeError('a number that no decimal spells');
  return text as Decimal;
}

function withoutExponent(value: number): string {
  const shortest = Object.is(value, -0) ? '0' : String(value);
  if (!shortest.includes('e')) return shortest;
  return value.toFixed(PLACES).replace(/\.?0+$/, '');
}

/** A specification as an engine computes with it: every decimal as its number. */
export type InNumbers<Spec> = Spec extends Decimal
  ? number
  : Spec extends object
    ? { readonly [Key in keyof Spec]: InNumbers<Spec[Key]> }
    : Spec;

/** `spec` in numbers; for specifications whose texts are decimals or words of an enum alone. */
export function inNumbers<Spec>(spec: Spec): InNumbers<Spec> {
  return converted(spec) as InNumbers<Spec>;
}

function converted(value: unknown): unknown {
  if (typeof value === 'string') return PATTERN.test(value) ? Number(value) : value;
  if (Array.isArray(value)) return value.map(converted);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, converted(member)]));
}
