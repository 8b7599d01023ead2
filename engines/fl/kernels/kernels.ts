// Compiled to WebAssembly (AssemblyScript); the output is checked in under src/kernels/generated and rebuilt by src/kernels/kernels.test.ts.
export { addFourPacked, addPackedWords, addWords, maskWords, packWords, subtractWords } from './words';
export { flipSigns, transform } from './rotation';
export { liftWords, roundValues, scaleValues, sumOfSquares } from './rounding';
export { addSkellam } from './skellam';
export { addScaledBlock, evaluateShares } from './sharing';
