declare const brand: unique symbol;

/** A nominal type: `Brand<string, 'JobId'>` is a string that only a parser of job ids hands out. */
export type Brand<T, Name extends string> = T & { readonly [brand]: Name };
