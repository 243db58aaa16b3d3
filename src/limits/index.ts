export { type Cidr, cidrContains, parseCidr } from './cidr.ts';
export { type RateLimit, type Spending, spend } from './rate-limit.ts';
export { sourceKey } from './source-key.ts';
export { SourceLimit } from './source-limit.ts';
