export { parsePoolFile, parsePoolFlags, POOL_FLAGS, type PoolWishes } from './pool-file.ts';
