import type { StoredAuthorization, StoredOrder } from './store.ts';

export type OrderStatus = 'pending' | 'ready' | 'processing' | 'valid' | 'invalid';
export type AuthorizationStatus = 'pending' | 'valid' | 'invalid' | 'deactivated' | 'expired';
export type ChallengeStatus = 'pending' | 'processing' | 'valid' | 'invalid';

/*
 * The states of RFC 8555 section 7.1.6. None is stored: each follows from what happened and cannot be undone (an answer, a proof, a problem, a request that was held,
 * a certificate), and from the time. So no transition can be one that the RFC does not know.
 */

export function orderStatus(
  order: Pick<
    StoredOrder,
    'certificate' | 'undelivered' | 'withdrawn' | 'error' | 'finalizedAt' | 'expiresAt'
  > & { readonly authorizations: readonly Pick<StoredAuthorization, 'status' | 'expiresAt'>[] },
  now: number,
): OrderStatus {
  if (order.withdrawn || order.error !== null) return 'invalid';
  if (order.certificate !== null) return order.undelivered ? 'processing' : 'valid';
  if (now >= order.expiresAt) return 'invalid';
  if (order.finalizedAt !== null) return 'processing';
  const statuses = order.authorizations.map((authorization) => authorizationStatus(authorization, now));
  if (statuses.every((status) => status === 'valid') && statuses.length > 0) return 'ready';
  return statuses.every((status) => status === 'valid' || status === 'pending') ? 'pending' : 'invalid';
}

export function authorizationStatus(
  { status, expiresAt }: Pick<StoredAuthorization, 'status' | 'expiresAt'>,
  now: number,
): AuthorizationStatus {
  if (now < expiresAt || status === 'deactivated' || status === 'invalid') return status;
  // One that nobody proved in time: in the words of RFC 8555 section 7.1.6 "in the "valid" state, it can expire"; another one failed.
  return status === 'valid' ? 'expired' : 'invalid';
}

export function challengeStatus(
  authorization: Pick<StoredAuthorization, 'status' | 'method' | 'validatedAt'>,
  type: string,
): ChallengeStatus {
  const { status, method, validatedAt } = authorization;
  if (method !== type) return 'pending';
  if (status === 'valid' || status === 'invalid') return status;
  // Deactivated after it was proven, or on the way.
  return validatedAt === null ? 'processing' : 'valid';
}
