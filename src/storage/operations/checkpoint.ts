import { first, type Operation, run } from '../operation.ts';
import { statement } from '../statement.ts';

const selectNote = statement((database) =>
  database.selectFrom('log_note').select('note').where('id', '=', 1),
);

const upsertNote = statement((database, p: { size: number; note: string }) =>
  database
    .insertInto('log_note')
    .values({ id: 1, size: p.size, note: p.note })
    .onConflict((conflict) =>
      conflict
        .column('id')
        .doUpdateSet({ size: p.size, note: p.note })
        .where('log_note.size', '<=', (eb) => eb.ref('excluded.size')),
    ),
);

const selectCursor = statement((database, p: { name: string }) =>
  database.selectFrom('sink').select('next_idx').where('name', '=', p.name),
);

const upsertCursor = statement((database, p: { name: string; nextIndex: number }) =>
  database
    .insertInto('sink')
    .values({ name: p.name, next_idx: p.nextIndex })
    .onConflict((conflict) => conflict.column('name').doUpdateSet({ next_idx: p.nextIndex })),
);

export function* note(): Operation<string | null> {
  return (yield* first(selectNote, {}))?.note ?? null;
}

/** The newest stays: a note of a smaller tree changes nothing. */
export function* saveNote(signed: { size: number; note: string }): Operation<void> {
  yield* run(upsertNote, signed);
}

export function* sinkCursor({ sink }: { sink: string }): Operation<number> {
  return (yield* first(selectCursor, { name: sink }))?.next_idx ?? 0;
}

/** Not synced by itself: after a crash a sink may be given its last entries again, never too few. */
export function* saveSinkCursor({ sink, index }: { sink: string; index: number }): Operation<void> {
  yield* run(upsertCursor, { name: sink, nextIndex: index });
}
