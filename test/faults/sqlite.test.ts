import { test } from 'node:test';
import { orderingPoints, recoveryPoints, servingPoints, takeoverPoints } from './points.ts';
import { scenarios } from './scenarios.ts';
import { assertNothingFound, skipped } from './short-form.ts';

const points = [
  servingPoints.indexOf('reserve:answered'),
  servingPoints.indexOf('sink:torn'),
  servingPoints.length + recoveryPoints.indexOf('abandonIntent:committed'),
];

const steps = [
  orderingPoints.indexOf('respond:answered'),
  orderingPoints.indexOf('validated:answered'),
  orderingPoints.indexOf('close:committed'),
  orderingPoints.indexOf('certificate:before'),
  orderingPoints.length + takeoverPoints.indexOf('takeDue:committed'),
];

test('kill -9 between two steps of a certificate loses nothing and gives nothing twice', () =>
  assertNothingFound('points', scenarios.points, points));

test('an ACME order goes on after kill -9 between its steps, and gives one certificate', () =>
  assertNothingFound('orders', scenarios.orders, steps));

test('kill -9 under 32 requests at once loses nothing and gives nothing twice', () =>
  assertNothingFound('load', scenarios.load, [0]));

test(
  'without space it answers 503, issues nothing, and goes on afterwards',
  skipped(scenarios['file-limit']),
  () => assertNothingFound('file-limit', scenarios['file-limit'], [0]),
);

test('so it does on a disk that is full', skipped(scenarios['disk-full']), () =>
  assertNothingFound('disk-full', scenarios['disk-full'], [0]),
);
