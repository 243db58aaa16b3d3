import type { LineageObservation, LineageSeen } from '#enrollment';
import { SallyportError } from '#errors';
import { all, first, type Operation, run } from '../operation.ts';
import type { LineageContestRow } from '../schema.ts';
import { statement } from '../statement.ts';

/** A certificate that is presented, and the key that it is to be renewed to. */
interface Renewing {
  readonly presented: string;
  readonly deviceId: string;
  readonly template: string;
  readonly spki: string;
  readonly now: number;
}

const selectSuccessors = statement((database, p: { predecessor: string }) =>
  database
    .selectFrom('certificate')
    .select(['sha256', 'spki', 'not_after', 'revoked_at'])
    .where('predecessor', '=', p.predecessor)
    .where('predecessor', 'is not', null)
    .orderBy('log_idx'),
);

const selectPredecessor = statement((database, p: { sha256: string }) =>
  database.selectFrom('certificate').select('predecessor').where('sha256', '=', p.sha256),
);

const selectContests = statement((database, p: Pick<Renewing, 'deviceId' | 'template'>) =>
  database
    .selectFrom('lineage_contest')
    .select(['presented', 'settled'])
    .where('device_id', '=', p.deviceId)
    .where('template', '=', p.template)
    .orderBy('presented'),
);

const insertContest = statement((database, p: Omit<LineageContestRow, 'settled'>) =>
  database
    .insertInto('lineage_contest')
    .values({
      presented: p.presented,
      device_id: p.device_id,
      template: p.template,
      settled: null,
      opened_at: p.opened_at,
    })
    .onConflict((conflict) => conflict.column('presented').doNothing()),
);

const settle = statement((database, p: { presented: string; settled: string }) =>
  database.updateTable('lineage_contest').set({ settled: p.settled }).where('presented', '=', p.presented),
);

const deleteOf = statement((database, p: { deviceId: string }) =>
  database.deleteFrom('lineage_contest').where('device_id', '=', p.deviceId),
);

/** What is written down of them. */
const toldCertificates = 10;
/** A line longer than this is taken for a contested one. */
const longestLine = 10_000;

export function* observeLineage(renewing: Renewing): Operation<LineageObservation> {
  const { presented, spki } = renewing;
  const others = yield* currentBelow(presented, renewing.now, (each) => each.spki !== spki, new Set());
  return { others, contested: yield* observeContest(renewing) };
}

function* observeContest(renewing: Renewing): Operation<LineageObservation['contested']> {
  const { presented, now } = renewing;
  const [contest] = yield* contestsAgainst(renewing);
  if (contest === undefined) return null;
  const own = yield* lineOf(presented);
  const isOther = ({ sha256 }: Successor) => !own.has(sha256);
  return {
    presented: contest,
    others: yield* currentBelow(contest, now, isOther, new Set([presented])),
  };
}

/** Certificates of this line that were presented for two keys, and of which nobody has said that this branch is the device's. */
function* contestsAgainst({
  presented,
  deviceId,
  template,
}: Pick<Renewing, 'presented' | 'deviceId' | 'template'>): Operation<readonly string[]> {
  const contests = yield* all(selectContests, { deviceId, template });
  if (contests.length === 0) return [];
  const line = yield* lineOf(presented);
  return contests
    .filter((contest) => line.has(contest.presented) || line.size >= longestLine)
    .filter(({ settled }) => settled === null || !line.has(settled))
    .map((contest) => contest.presented);
}

/** The certificate and all that it descends from. */
function* lineOf(sha256: string): Operation<ReadonlySet<string>> {
  const line = new Set<string>();
  for (let at: string | null = sha256; at !== null && line.size < longestLine;) {
    line.add(at);
    const row: { predecessor: string | null } | undefined = yield* first(selectPredecessor, { sha256: at });
    at = row?.predecessor ?? null;
  }
  return line;
}

interface Successor {
  readonly sha256: string;
  readonly spki: string;
}

/** The first of the current ones that descend from it, whatever became of those between, and not by `without`. */
function* currentBelow(
  sha256: string,
  now: number,
  isMeant: (successor: Successor) => boolean,
  without: ReadonlySet<string>,
): Operation<readonly string[]> {
  const found: string[] = [];
  const seen = new Set([sha256]);
  for (const predecessor of seen) {
    if (without.has(predecessor)) continue;
    if (seen.size > longestLine) return [...found, predecessor];
    for (const row of yield* all(selectSuccessors, { predecessor })) {
      seen.add(row.sha256);
      const isCurrent = row.revoked_at === null && row.not_after >= now;
      if (!isCurrent || without.has(row.sha256) || !isMeant(row)) continue;
      found.push(row.sha256);
      if (found.length === toldCertificates) return found;
    }
  }
  return found;
}

/** Throws 'conflict' where the lineage has come to be contested since it was observed, or was renewed to another key. */
export function* assertLineage(renewing: Renewing, seen: LineageSeen): Operation<void> {
  const { others, contested } = yield* observeLineage(renewing);
  if ((others.length > 0 && !seen.forked) || (contested !== null && !seen.contested)) {
    throw new SallyportError(
      'conflict',
      `certificate ${renewing.presented} was presented for another key meanwhile`,
    );
  }
}

/** Once settled it stays so: whoever comes again with the key that somebody else has is held, and holds up nobody. */
export function* openContest(contest: Omit<LineageContestRow, 'settled'>): Operation<void> {
  yield* run(insertContest, contest);
}

/** An operator let this certificate be issued, and so decided for its branch. */
export function* settleContests(
  of: Pick<Renewing, 'presented' | 'deviceId' | 'template'>,
  certificate: string,
): Operation<void> {
  for (const presented of yield* contestsAgainst(of)) yield* run(settle, { presented, settled: certificate });
}

export function* forgetContestsOf(deviceId: string): Operation<void> {
  yield* run(deleteOf, { deviceId });
}
