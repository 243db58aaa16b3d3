import { test } from 'node:test';
import { orderingPoints } from './points.ts';
import { scenarios } from './scenarios.ts';
import { nodesInTurn } from './scenarios/nodes.ts';
import { assertNothingFound, skipped } from './short-form.ts';

test(
  'a PostgreSQL that is killed under load is asked again, and nothing is lost',
  skipped(scenarios['postgres-killed']),
  () => assertNothingFound('postgres-killed', scenarios['postgres-killed'], [0]),
);

test(
  'an ACME order goes on where PostgreSQL is killed before its proof is written down',
  skipped(scenarios['orders-postgres-killed']),
  () =>
    assertNothingFound('orders-postgres-killed', scenarios['orders-postgres-killed'], [
      orderingPoints.indexOf('validated:asked'),
    ]),
);

test(
  'two nodes: one is killed, one stands still past its lease, one with the head of the log in its hand',
  skipped(nodesInTurn),
  () => assertNothingFound('nodes', nodesInTurn, [0, 1, 2]),
);
