import type { Expression, ExpressionBuilder, SqlBool } from 'kysely';
import type { Schema } from '../schema.ts';

/** Of an order without an error of its own, whether it is invalid all the same (RFC 8555 section 7.1.6): its time or that of a proof was over before a request came, or its certificate was revoked before it left. A proof that failed or was given up is an error of the order's own. */
export function isOver(eb: ExpressionBuilder<Schema, 'acme_order'>, now: number): Expression<SqlBool> {
  return eb.or([
    eb.and([eb('acme_order.certificate', 'is', null), eb('acme_order.expires_at', '<=', now)]),
    eb.and([
      eb('acme_order.certificate', 'is', null),
      eb('acme_order.finalized_at', 'is', null),
      eb.exists(
        eb
          .selectFrom('acme_order_authorization')
          .innerJoin('acme_authorization', 'acme_authorization.id', 'authorization_id')
          .select('acme_authorization.id')
          .whereRef('order_id', '=', 'acme_order.id')
          .where('acme_authorization.expires_at', '<=', now),
      ),
    ]),
    eb.exists(
      eb
        .selectFrom('certificate')
        .select('sha256')
        .whereRef('sha256', '=', 'acme_order.certificate')
        .where('undelivered', 'is not', null)
        .where('revoked_at', 'is not', null),
    ),
  ]);
}
