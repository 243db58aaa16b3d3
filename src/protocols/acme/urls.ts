import type { Exchange } from './ports.ts';

/** Addresses of resources with an id: none is below a template, since an account has orders of several. */
export const accountUrl = ({ base }: Pick<Exchange, 'base'>, id: string) => `${base}/acme/account/${id}`;
export const ordersUrl = (at: Pick<Exchange, 'base'>, account: string) => `${accountUrl(at, account)}/orders`;
export const orderUrl = ({ base }: Pick<Exchange, 'base'>, id: string) => `${base}/acme/order/${id}`;
export const finalizeUrl = (at: Pick<Exchange, 'base'>, order: string) => `${orderUrl(at, order)}/finalize`;
export const authorizationUrl = ({ base }: Pick<Exchange, 'base'>, id: string) =>
  `${base}/acme/authorization/${id}`;
export const challengeUrl = ({ base }: Pick<Exchange, 'base'>, authorization: string, type: string) =>
  `${base}/acme/challenge/${authorization}/${type}`;
export const certificateUrl = ({ base }: Pick<Exchange, 'base'>, sha256: string, chain = 0) =>
  `${base}/acme/certificate/${sha256}${chain === 0 ? '' : `/${chain}`}`;

/** 128 random bits: nobody finds a resource by guessing. */
export function newId(random: (n: number) => Uint8Array): string {
  return Buffer.from(random(16)).toString('base64url');
}
