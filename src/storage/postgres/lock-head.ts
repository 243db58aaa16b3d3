/** The row of the log's head, found by its size (migration 0006): whoever has it is the only one that writes. */
export const lockHead = 'select 1 from log_head order by size desc limit 1 for update';
