import { all, type Operation } from './operation.ts';
import { statement } from './statement.ts';

const key = (digit: string) => digit.repeat(64);

/** Devices as versions before 14 left them, and one that came since: id, ekSha256 of the identifiers, and the column. */
const devices: readonly [id: string, identifier: string | null, column: string | null][] = [
  ['alone', key('a'), null],
  ['one-of-two', key('b'), null],
  ['other-of-two', key('b'), null],
  ['written-otherwise', key('C'), null],
  ['too-short', 'dd', null],
  ['earlier', key('e'), null],
  ['imported-since', key('e'), key('e')],
  ['of-none', null, null],
];

/** For a database of version 14. */
export const devicesOfVersion14 = devices.map(([id, identifier, column]) => {
  const identifiers = JSON.stringify({ dnsName: id, ...(identifier && { ekSha256: identifier }) });
  return `insert into device (id, device_class, state, identifiers, ek_sha256, created_at, updated_at)
    values ('${id}', 'laptop', 'active', '${identifiers}', ${column === null ? 'null' : `'${column}'`}, 1, 2)`;
});

/** By what each is known in the newest version, and what it disputes. */
export const knownAfterwards = [
  ['alone', key('a'), null],
  ['earlier', null, key('e')],
  ['imported-since', key('e'), null],
  ['of-none', null, null],
  ['one-of-two', null, key('b')],
  ['other-of-two', null, key('b')],
  ['too-short', null, null],
  ['written-otherwise', null, null],
];

const selectKnown = statement((database) =>
  database.selectFrom('device').select(['id', 'ek_sha256', 'ek_disputed']).orderBy('id'),
);

export function* known(): Operation<typeof knownAfterwards> {
  return (yield* all(selectKnown, {})).map(({ id, ek_sha256, ek_disputed }) => [id, ek_sha256, ek_disputed]);
}
