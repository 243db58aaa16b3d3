import { first, type Operation, run } from '../operation.ts';
import { statement } from '../statement.ts';

const insertReferences = statement((database, p: { digest: string; body: Uint8Array }) =>
  database
    .insertInto('references_body')
    .values({ digest: p.digest, body: p.body })
    .onConflict((conflict) => conflict.column('digest').doNothing()),
);

const insertPolicies = statement((database, p: { digest: string; text: string }) =>
  database
    .insertInto('policies_text')
    .values({ digest: p.digest, text: p.text })
    .onConflict((conflict) => conflict.column('digest').doNothing()),
);

const selectReferences = statement((database, p: { digest: string }) =>
  database.selectFrom('references_body').select('body').where('digest', '=', p.digest),
);

const selectPolicies = statement((database, p: { digest: string }) =>
  database.selectFrom('policies_text').select('text').where('digest', '=', p.digest),
);

export function* saveReferences(saved: { digest: string; body: Uint8Array }): Operation<void> {
  yield* run(insertReferences, saved);
}

export function* savePolicies(saved: { digest: string; text: string }): Operation<void> {
  yield* run(insertPolicies, saved);
}

export function* references({ digest }: { digest: string }): Operation<Uint8Array | null> {
  return (yield* first(selectReferences, { digest }))?.body ?? null;
}

export function* policies({ digest }: { digest: string }): Operation<string | null> {
  return (yield* first(selectPolicies, { digest }))?.text ?? null;
}
